import type { AccessFinding } from "../delta/finding";
import type { Review } from "../review";
import { renderRichText } from "../rich-text";
import { verdict } from "./summary";

/** A review as data for JSON: all rich text is plain text. */
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
  };
}
