import type { LiveRole, LiveStatus } from "../../access/live";
import { groupBy } from "../../group-by";
import { describeJobs, renderRichText } from "../../review/rich-text";
import { count } from "../../text";
import { wrap } from "../../wrap";
import type { Terminal } from "./terminal";

const STATUS_LABELS: { readonly [status in LiveStatus]: string } = {
  "as-configured": "as configured",
  differs: "differs from config.ts",
  missing: "not in the account: not deployed yet, or deleted outside Terraform",
  "not-configured": "not configured",
};

/** The roles of an account, those of no environment first, and their differences from the configuration. */
export function renderLiveAccess(
  accountId: string,
  roles: readonly LiveRole[],
  { paint: { good, bad }, columns }: Terminal,
): string {
  const line = (text: string) => `    ${wrap(text, columns, " ".repeat(6))}`;
  const groups = groupBy(roles, ({ environment }) => environment ?? "");
  const isBad = ({ status }: LiveRole) => status !== "as-configured";
  return [
    ...[...groups].flatMap(([environment, members]) => [
      environment === "" ? "in no environment of config.ts:" : `${environment}:`,
      ...members.flatMap((role) => [
        `  ${role.name}: ${(isBad(role) ? bad : good)(STATUS_LABELS[role.status])}`,
        ...(role.status === "not-configured"
          ? role.subjects.map((subject) => line(`trusts ${renderRichText(describeJobs(subject))}`))
          : []),
        ...role.differences.map(line),
      ]),
      "",
    ]),
    `account ${accountId}: ${count(roles.length, "role")} configured or trusting CircleCI, ${roles.filter(isBad).length} not as in config.ts\n`,
  ].join("\n");
}
