import type { AccessFinding } from "../delta/finding";
import type { Review } from "../review";
import { renderRichText } from "../rich-text";
import { describeSkipped, verdict } from "./summary";

/** A review as data for JSON, described by docs/review.schema.json: all rich text is plain text. */
export function toJsonData(review: Review): object {
  const toPlain = (findings: readonly AccessFinding[]) =>
    findings.map((each) => ({ ...each, what: renderRichText(each.what) }));
  return {
    verdict: renderRichText(verdict(review)),
    environments: review.environments.map((each) => ({
      ...each,
      access: toPlain(each.access),
      driftAccess: toPlain(each.driftAccess),
    })),
    skipped: [],
  };
}

/** The same data for environments that are not reviewed, for this reason. */
export function skippedToJsonData(environments: readonly string[], reason: string): object {
  return {
    verdict: renderRichText(describeSkipped(environments, reason)),
    environments: [],
    skipped: environments.map((environment) => ({ environment, reason })),
  };
}
