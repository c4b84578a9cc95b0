import Table from "cli-table3";
import { count, limitItems } from "../../text";
import type { EnvironmentAccess, RoleAccess, Source } from "../matrix";

const MAX_LINES = 12;

/** The table for a terminal: a row for each project, or repository, that can assume a role. */
export function accessTable(access: readonly EnvironmentAccess[]): string {
  const table = new Table({
    style: { head: [], border: [] },
    head: ["environment", "role", "project", "refs", "may do"],
  });
  for (const environment of access) {
    for (const role of environment.roles) {
      role.sources.forEach((source, index) => {
        const [first, may] = index === 0 ? [role.name, capabilitiesInWords(role).join("\n")] : ["", ""];
        table.push([
          index === 0 ? environment.name : "",
          first,
          source.repository ?? source.project,
          refsInWords(source).join("\n"),
          may,
        ]);
      });
    }
  }
  return table.toString();
}

function refsInWords({ refs, open, users }: Source): string[] {
  return [
    ...limitItems(refs, MAX_LINES, String),
    ...(open ? ["! anyone with push access"] : []),
    ...(users === undefined
      ? []
      : [`only ${count(users.length, "user")}: ${users[0]}${users.length > 1 ? ", …" : ""}`]),
  ];
}

function capabilitiesInWords({ capabilities, boundary, dangers }: RoleAccess): string[] {
  const policies = capabilities.flatMap(({ policy, services }) => [
    services.length === 0 ? policy : `${policy}:`,
    ...services.map((service) => `  ${service}`),
  ]);
  return [
    ...dangers.map((danger) => `! ${danger}`),
    ...(policies.length === 0 ? ["nothing: it has no policy"] : policies),
    ...(boundary === undefined ? [] : [`never more than ${boundary} allows`]),
  ];
}
