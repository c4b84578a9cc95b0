import Table from "cli-table3";
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { groupBy } from "../../group-by";
import { count, limitItems } from "../../text";
import { projectKey } from "../graph";
import { describeSourceRef, type EnvironmentAccess, type RoleAccess, type Source } from "../matrix";
import { roleNotes, sourceNotes } from "./notes";

const MAX_CELL_LINES = 12;
const HEADINGS = ["role", "trusts jobs of", "may do"];
/** What the borders of a table with three columns, and the padding of its cells, take. */
const BORDERS = 10;

/**
 * The table for a terminal: a row for each role, below the name of its environment.
 *
 * @param columns the width of the terminal. A wider table has its cells wrapped.
 */
export function accessTable(access: readonly EnvironmentAccess[], columns: number): string {
  const rows = access.flatMap(({ roles }) => roles.map(rowOf));
  const widths = columnWidths([HEADINGS, ...rows], columns - BORDERS);
  const colWidths = widths.map((width) => width + 2);
  const table = new Table({ head: HEADINGS, style: { head: [], border: [] }, colWidths });
  const wrapCell = (cell: string, column: number) => cell.replace(/.+/g, (line) => wrapLine(line, widths[column] ?? 0));
  for (const { name, accountId, region, roles } of access) {
    table.push([{ colSpan: HEADINGS.length, content: `${name}: AWS account ${accountId}, ${region}` }]);
    table.push(...roles.map((role) => rowOf(role).map(wrapCell)));
  }
  return table.toString();
}

function rowOf(role: RoleAccess): string[] {
  const sources = [...groupBy(role.sources, projectKey).values()];
  return [role.name, sources.flatMap(sourceLines).join("\n"), permissionLines(role).join("\n")];
}

/** The widths that the cells take, the widest columns narrowed until they fit. */
function columnWidths(rows: readonly (readonly string[])[], room: number): number[] {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.flatMap((row) => (row[column] ?? "").split("\n").map((line) => stringWidth(line)))),
  );
  while (widths.reduce((sum, width) => sum + width) > Math.max(room, 30)) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Breaks a line, within words if necessary, and indents what follows by two more columns. */
function wrapLine(line: string, width: number): string {
  if (stringWidth(line) <= width) return line;
  const start = /^ */.exec(line)?.[0] ?? "";
  const lines = wrapAnsi(line.trimStart(), width - start.length - 2, { hard: true }).split("\n");
  return start + lines.join(`\n${start}  `);
}

/** The sources of one project. */
function sourceLines(sources: readonly [Source, ...Source[]]): string[] {
  const [{ project, repository }] = sources;
  const lines = sources.flatMap((source) => [
    ...limitItems(source.refs.map(describeSourceRef), MAX_CELL_LINES, String),
    ...sourceNotes(source).warnings.map((warning) => `! ${warning}`),
    ...(source.users === undefined ? [] : [describeUsers(source.users)]),
  ]);
  return [repository ?? project, ...lines.map((line) => `  ${line}`)];
}

function describeUsers(users: readonly string[]): string {
  return `only ${count(users.length, "user")}: ${users[0]}${users.length > 1 ? ", …" : ""}`;
}

function permissionLines(role: RoleAccess): string[] {
  const { warnings, limits } = roleNotes(role);
  const policies = role.capabilities.flatMap(({ policy, services }) => [
    services.length === 0 ? policy : `${policy}:`,
    ...services.map((service) => `  ${service}`),
  ]);
  return [...warnings.map((warning) => `! ${warning}`), ...policies, ...limits];
}
