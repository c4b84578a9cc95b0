import { groupBy } from "../../group-by";
import type { DiffLine } from "../../plan/difference";
import { count } from "../../text";
import { type AccessFinding, FINDING_KINDS } from "../delta/finding";
import { type Counts, type EnvironmentReview, gains, isQuiet, type ResourceReview, type Review } from "../review";
import { join, type RichText, richText } from "../rich-text";

/**
 * Whether access is granted or revoked, and whether resources are destroyed or replaced, in one sentence. If access was
 * granted outside Terraform, a sentence before it.
 */
export function verdict({ environments }: Review): RichText {
  if (environments.length > 0 && environments.every(isQuiet))
    return richText`No changes in ${listed(environments.map(({ environment }) => environment))}.`;
  const losses = (["destroy", "replace"] as const).flatMap((what: keyof Counts) => {
    const number = environments.reduce((sum, { counts }) => sum + counts[what], 0);
    const verb = what === "destroy" ? "destroyed" : "replaced";
    return number > 0 ? [`${count(number, "resource is", "resources are")} ${verb}`] : [];
  });
  const isComplete = environments.every(({ errored, complete }) => !errored && complete);
  const outside = outsideVerdict(environments.flatMap(({ driftAccess }) => driftAccess));
  const plan = accessVerdict(environments.flatMap(({ access }) => access));
  return [
    outside === undefined ? capitalized(plan) : `${capitalized(outside)}. By the plan: ${plan}`,
    `; ${losses.join(", ") || "nothing is destroyed or replaced"}`,
    isComplete ? "." : ", as far as planned: some plans are incomplete.",
  ];
}

const capitalized = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** Access that is granted, else revoked; and what was not assessed: then nothing else is stated about it. */
function accessVerdict(findings: readonly AccessFinding[]): string {
  const open = findings.filter(({ kind }) => kind === "not-assessed");
  const gained = describeGains(findings);
  const number = count(open.length, "change was", "changes were");
  const danger = open.some(({ effect }) => effect === "unknown") ? " and may grant access" : "";
  if (gained !== undefined)
    return `access is granted${gained}${open.length > 0 ? `; ${number} not assessed${danger}` : ""}`;
  if (open.length > 0) return `${number} not assessed${danger}`;
  return findings.length > 0 ? "no access is granted; some is revoked" : "no access is granted";
}

function outsideVerdict(findings: readonly AccessFinding[]): string | undefined {
  const gained = describeGains(findings);
  if (gained !== undefined) return `access was granted outside Terraform${gained}`;
  const open = gains(findings).length;
  return open > 0 ? `${count(open, "change", "changes")} outside Terraform may have granted access` : undefined;
}

/** `, administrator-like (1 newly trusted, 2 permissions granted)`; undefined if nothing is granted. */
function describeGains(findings: readonly AccessFinding[]): string | undefined {
  const gained = findings.filter(({ effect }) => effect === "gain");
  const counted = Object.entries(FINDING_KINDS).flatMap(([kind, row]) => {
    const number = gained.filter((each) => each.kind === kind).length;
    return number > 0 && "plural" in row ? [count(number, row.label, row.plural)] : [];
  });
  if (counted.length === 0) return undefined;
  return `${gained.some(({ administrator }) => administrator) ? ", administrator-like" : ""} (${counted.join(", ")})`;
}

/** The sentence that replaces a review if there is no plan. */
export function describeSkipped(environments: readonly string[], reason: string): RichText {
  return richText`Not reviewed: no plan of ${listed(environments)}. The reason: ${reason}.`;
}

function listed(names: readonly string[]): RichText {
  return join(
    names.map((name) => richText`${name}`),
    ", ",
  );
}

/** What a reader must know about an environment apart from its access. */
export function notices(review: EnvironmentReview): RichText[] {
  const { environment, errored, complete, administratorRoles, boundaryChanges, driftAccess } = review;
  const isIncomplete = !complete && !errored;
  const outside = outsideVerdict(driftAccess);
  return [
    ...(errored ? [richText`Terraform failed while planning ${environment}: this review may be incomplete.`] : []),
    ...(isIncomplete ? [richText`The plan of ${environment} is incomplete: plan again after it is applied.`] : []),
    ...administratorRoles.map(
      (role) =>
        richText`${environment}: role ${role} is managed by administrators; the pipeline cannot deploy this change.`,
    ),
    ...boundaryChanges.map(
      ({ kind, name }) =>
        richText`${environment}: the permissions boundary ${[kind === "role" ? "of role " : ""]}${name} is managed by administrators; the pipeline cannot deploy this change.`,
    ),
    ...(outside === undefined
      ? []
      : [
          richText`${environment}: ${[outside]}. Deploy the plan if it revokes that access; otherwise revoke it in AWS, or add it to the configuration.`,
        ]),
  ];
}

/** Findings by subject: administrators first, then gains, then losses. */
export function bySubject(findings: readonly AccessFinding[]): ReadonlyMap<string, readonly AccessFinding[]> {
  const rank = ({ effect, administrator }: AccessFinding) => (administrator ? 0 : effect === "loss" ? 2 : 1);
  return groupBy(
    [...findings].sort((a, b) => rank(a) - rank(b)),
    ({ subject }) => subject,
  );
}

/** `permission granted, administrator-like: …` */
export function describeFinding({ kind, effect, administrator, what }: AccessFinding): RichText {
  const addition = administrator ? ", administrator-like" : effect === "unknown" ? ", treated as a gain" : "";
  return [`${FINDING_KINDS[kind].label}${addition}: `, ...what];
}

/** A part of the review of an environment. */
export interface ReviewSection {
  readonly title: string;
  readonly entries: readonly SectionEntry[];
}

/** The change of a resource or of an output, or a remark. */
export interface SectionEntry {
  /** What Terraform does, e.g. `update`. Absent for a remark. */
  readonly action?: string;
  readonly what: RichText;
  readonly notes?: readonly RichText[];
  readonly lines?: readonly DiffLine[];
}

/** What follows from the roles that the plan adds or removes. */
export const CONSEQUENCES = "the pipeline's policies, which list the roles by name";

/** The access that changed: outside Terraform first, then by the plan. Empty parts are left out. */
export function accessSections({ access, driftAccess }: EnvironmentReview) {
  const sections = [
    { title: "access outside Terraform", findings: driftAccess },
    { title: "access", findings: access.filter(({ consequence }) => !consequence) },
    { title: CONSEQUENCES, findings: access.filter(({ consequence }) => consequence) },
  ];
  return sections.filter(({ findings }) => findings.length > 0);
}

/** The parts of the review of an environment, apart from its access. Empty parts are left out. */
export function sectionsOf(review: EnvironmentReview): readonly ReviewSection[] {
  const { resources, drift, outputs, actions, deferred, warnings } = review;
  const sections: ReviewSection[] = [
    { title: "resources", entries: [...resources].sort(compareResources).map(resourceEntry) },
    { title: "drift", entries: drift.map(resourceEntry) },
    {
      title: "outputs",
      entries: outputs.map(({ name, action, lines }) => ({ action, what: richText`${name}`, lines })),
    },
    {
      title: "actions",
      entries: actions.map(({ address, trigger, lines }) => ({
        action: "invoke",
        what: richText`${address}`,
        notes: trigger === undefined ? [] : [richText`${trigger}`],
        lines,
      })),
    },
    {
      title: "deferred to a later run",
      entries: deferred.map(({ address, reason }) => ({ what: richText`${address}: ${reason}` })),
    },
    { title: "warnings", entries: warnings.map((warning) => ({ what: richText`${warning}` })) },
  ];
  return sections.filter(({ entries }) => entries.length > 0);
}

const ACTION_ORDER = ["destroy", "replace", "update", "create", "forget", "no-op"];

/** Orders resources by action, destroyed ones first, then by type. */
function compareResources(a: ResourceReview, b: ResourceReview): number {
  const order = ACTION_ORDER.indexOf(a.action) - ACTION_ORDER.indexOf(b.action);
  return order || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}

function resourceEntry({ action, address, deposed, reason, previousAddress, importId, lines }: ResourceReview) {
  return {
    action: action === "no-op" ? (importId === undefined ? "move" : "import") : action,
    what: richText`${address}`,
    notes: [
      ...(deposed ? [["deposed object of an earlier replacement"]] : []),
      ...(reason === undefined ? [] : [richText`${reason}`]),
      ...(previousAddress === undefined ? [] : [richText`moved from ${previousAddress}`]),
      ...(importId === undefined ? [] : [richText`imported from ${importId}`]),
    ],
    lines,
  };
}
