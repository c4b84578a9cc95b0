import { count } from "../../text";
import { type AccessFinding, FINDING_KINDS } from "../delta/finding";
import { type Counts, type EnvironmentReview, gains, isQuiet, type Review } from "../review";
import { join, type RichText, richText } from "../rich-text";

/** Whether access is granted or revoked, and whether resources are destroyed or replaced, in one sentence. */
export function verdict({ environments }: Review): RichText {
  const names = join(
    environments.map(({ environment }) => richText`${environment}`),
    ", ",
  );
  if (environments.length > 0 && environments.every(isQuiet)) return richText`No changes in ${names}.`;
  const total = (what: keyof Counts) => environments.reduce((sum, { counts }) => sum + counts[what], 0);
  const loss = [
    ...(total("destroy") > 0 ? [`${count(total("destroy"), "resource is", "resources are")} destroyed`] : []),
    ...(total("replace") > 0 ? [`${count(total("replace"), "resource is", "resources are")} replaced`] : []),
  ];
  const isComplete = environments.every(({ errored, complete }) => !errored && complete);
  return [
    accessVerdict(environments.flatMap((each) => each.access)),
    loss.length > 0 ? `; ${loss.join(", ")}` : "; nothing is destroyed or replaced",
    isComplete ? "." : ", as far as planned: some plans are incomplete.",
  ];
}

function accessVerdict(findings: readonly AccessFinding[]): string {
  const all = gains(findings);
  if (all.length === 0) return findings.length > 0 ? "No access is granted; some is revoked" : "No access is granted";
  const counted = Object.entries(FINDING_KINDS).flatMap(([kind, row]) => {
    const number = all.filter((each) => each.kind === kind).length;
    return number > 0 && "plural" in row ? [count(number, row.label, row.plural)] : [];
  });
  const certainty = all.some(({ effect }) => effect === "gain") ? "is" : "may be";
  const administrator = all.some((each) => each.administrator) ? ", administrator-like" : "";
  return `Access ${certainty} granted${administrator} (${counted.join(", ")})`;
}

/** What must be seen about an environment besides its access: a sentence each. */
export function notices({
  environment,
  errored,
  complete,
  administratorRoles,
  driftAccess,
}: EnvironmentReview): RichText[] {
  return [
    ...(errored ? [richText`Terraform failed while planning ${environment}: this review may be incomplete.`] : []),
    ...(complete || errored
      ? []
      : [richText`The plan of ${environment} is incomplete: plan again after it is applied.`]),
    ...administratorRoles.map(
      (role) =>
        richText`${environment}: role ${role} is managed by administrators; the pipeline cannot deploy this change.`,
    ),
    ...(gains(driftAccess).length > 0
      ? [richText`${environment}: access was granted outside Terraform (see the drift below).`]
      : []),
  ];
}

/** Findings by subject: administrators first, then gains, then losses. */
export function bySubject(findings: readonly AccessFinding[]): ReadonlyMap<string, readonly AccessFinding[]> {
  const rank = ({ effect, administrator }: AccessFinding) => (administrator ? 0 : effect === "loss" ? 2 : 1);
  const groups = new Map<string, AccessFinding[]>();
  for (const each of [...findings].sort((a, b) => rank(a) - rank(b))) {
    groups.set(each.subject, [...(groups.get(each.subject) ?? []), each]);
  }
  return groups;
}

/** `permission granted, administrator-like: …` */
export function describeFinding({ kind, administrator, what }: AccessFinding): RichText {
  return [`${FINDING_KINDS[kind].label}${administrator ? ", administrator-like" : ""}: `, ...what];
}
