import { count } from "../../text";
import type { Finding } from "../delta/finding";
import { type Counts, type EnvironmentReview, gains, isQuiet, type Review } from "../review";
import { join, type Words, words } from "../rich-text";

/** The one sentence that everybody reads: does anybody gain access, does anything get destroyed or replaced. */
export function verdict({ environments }: Review): Words {
  const names = join(
    environments.map(({ environment }) => words`${environment}`),
    ", ",
  );
  if (environments.length > 0 && environments.every(isQuiet)) return words`Nothing to change in ${names}.`;
  const total = (what: keyof Counts) => environments.reduce((sum, { counts }) => sum + counts[what], 0);
  const loss = [
    ...(total("destroy") > 0 ? [`${count(total("destroy"), "resource is", "resources are")} destroyed`] : []),
    ...(total("replace") > 0 ? [`${count(total("replace"), "resource is", "resources are")} replaced`] : []),
  ];
  const whole = environments.every(({ errored, complete }) => !errored && complete);
  return [
    access(environments.flatMap((each) => each.access)),
    loss.length > 0 ? `; ${loss.join(", ")}` : "; nothing is destroyed or replaced",
    whole ? "." : ", as far as these plans go: not all of them are complete.",
  ];
}

/** How the verdict counts the kinds of findings by which somebody may gain. */
const COUNTED_AS: { readonly [kind: string]: readonly [one: string, many: string] } = {
  "newly trusted": ["newly trusted", "newly trusted"],
  broadened: ["trust broadened", "trusts broadened"],
  "permission gained": ["permission gained", "permissions gained"],
  "boundary lifted": ["boundary lifted", "boundaries lifted"],
  provider: ["gain by a provider", "gains by providers"],
  "could not tell: treat as gain": ["change that could not be told", "changes that could not be told"],
};

function access(findings: readonly Finding[]): string {
  const all = gains(findings);
  if (all.length === 0) {
    return findings.length > 0 ? "Nobody gains access, somebody loses some" : "Nobody gains access";
  }
  const counted = Object.entries(COUNTED_AS).flatMap(([kind, [one, many]]) => {
    const number = all.filter((each) => each.kind === kind).length;
    return number === 0 ? [] : [count(number, one, many)];
  });
  const administrator = all.some((each) => each.administrator) ? ", administrator-like" : "";
  const certain = all.some(({ effect }) => effect === "gain");
  return `Somebody ${certain ? "gains" : "may gain"} access${administrator} (${counted.join(", ")})`;
}

/** What must be seen about an environment besides its access: a sentence each. */
export function notices({
  environment,
  errored,
  complete,
  administratorRoles,
  driftAccess,
}: EnvironmentReview): Words[] {
  return [
    ...(errored ? [words`Terraform failed while planning ${environment}: there may be more than this.`] : []),
    ...(complete || errored
      ? []
      : [words`The plan of ${environment} is not complete: a second run is needed after it.`]),
    ...administratorRoles.map(
      (role) =>
        words`${environment}: role ${role} is managed by administrators; the pipeline cannot deploy this change.`,
    ),
    ...(gains(driftAccess).length > 0
      ? [words`${environment}: somebody has gained access behind Terraform's back (see the drift below).`]
      : []),
  ];
}

/** Findings by subject, whoever gains before whoever loses; administrators first. */
export function bySubject(findings: readonly Finding[]): ReadonlyMap<string, readonly Finding[]> {
  const rank = ({ effect, administrator }: Finding) => (administrator ? 0 : effect === "loss" ? 2 : 1);
  const groups = new Map<string, Finding[]>();
  for (const each of [...findings].sort((a, b) => rank(a) - rank(b))) {
    groups.set(each.subject, [...(groups.get(each.subject) ?? []), each]);
  }
  return groups;
}

/** `permission gained, administrator-like: …` */
export function findingInWords({ kind, administrator, what }: Finding): Words {
  return [`${kind}${administrator ? ", administrator-like" : ""}: `, ...what];
}
