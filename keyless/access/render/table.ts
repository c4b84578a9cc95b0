import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { groupBy } from "../../group-by";
import { count, limitItems } from "../../text";
import { projectKey } from "../graph";
import { describeSourceRef, type EnvironmentAccess, type RoleAccess, type Source } from "../matrix";
import { PROJECT_ID_NOTE, roleNotes, sourceNotes } from "./notes";

const MAX_CELL_LINES = 12;
const HEADINGS = ["role", "trusts jobs of", "may do"];
/** What the borders of a table with three columns, and the padding of its cells, take. */
const BORDERS = 10;

/**
 * The table for a terminal: a row for each role, below the name of its environment. Drawn here, because cli-table3 takes
 * seconds for 200 roles.
 *
 * @param columns the width of the terminal. A wider table has its cells wrapped.
 */
export function accessTable(access: readonly EnvironmentAccess[], columns: number): string {
  const widths = columnWidths([HEADINGS, ...access.flatMap(({ roles }) => roles.map(rowOf))], columns - BORDERS);
  const total = widths.reduce((sum, width) => sum + width) + BORDERS - 4;
  const rows = [
    HEADINGS,
    ...access.flatMap(({ name, accountId, region, roles }) => [
      [`${name}: AWS account ${accountId}, ${region}`],
      ...roles.map(rowOf),
    ]),
  ];
  const borderAbove = (index: number) => {
    const [above, below] = [rows[index - 1], rows[index]].map((row) => row?.length === HEADINGS.length);
    const joint = above ? (below ? "┼" : "┴") : below ? "┬" : "─";
    const [left, right] = index === 0 ? "┌┐" : index === rows.length ? "└┘" : "├┤";
    return left + widths.map((width) => "─".repeat(width + 2)).join(joint) + right;
  };
  const lines = rows.flatMap((row, index) => [
    borderAbove(index),
    ...drawRow(row, row.length === 1 ? [total] : widths),
  ]);
  return [...lines, borderAbove(rows.length)].join("\n");
}

function drawRow(row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((cell, column) => wrapCell(cell, widths[column] ?? 0));
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => {
    const padded = cells.map((cell, column) => pad(cell[line] ?? "", widths[column] ?? 0));
    return `│ ${padded.join(" │ ")} │`;
  });
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

/** The lines of a cell. What follows a break is indented by two more columns. */
function wrapCell(cell: string, width: number): string[] {
  return cell.split("\n").flatMap((line) => {
    if (stringWidth(line) <= width) return line;
    const start = /^ */.exec(line)?.[0] ?? "";
    const room = width - start.length - 2;
    const words = line.trimStart().split(" ");
    const text = words.flatMap((word) => breakName(word, room)).join(" ");
    const [first = "", ...rest] = wrapAnsi(text, room, { hard: true }).split("\n");
    return [start + first, ...rest.map((part) => `${start}  ${part}`)];
  });
}

/** A name that is too long for a line, broken after `/`, `:`, `-` or `_`. */
function breakName(word: string, width: number): string[] {
  const lines = [""];
  for (const part of word.split(/(?<=[/:_-])/)) {
    const line = (lines.at(-1) ?? "") + part;
    if (stringWidth(line) <= width || lines.at(-1) === "") lines[lines.length - 1] = line;
    else lines.push(part);
  }
  return lines;
}

function pad(text: string, width: number): string {
  return text + " ".repeat(width - stringWidth(text));
}

/** The sources of one project. */
function sourceLines(sources: readonly [Source, ...Source[]]): string[] {
  const [{ project, repository }] = sources;
  const lines = sources.flatMap((source) => [
    ...limitItems(source.refs.map(describeSourceRef), MAX_CELL_LINES, String),
    ...sourceNotes(source).warnings.map((warning) => `! ${warning}`),
    ...(source.users === undefined ? [] : [describeUsers(source.users)]),
    ...(source.pinsProjectId ? [PROJECT_ID_NOTE] : []),
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
