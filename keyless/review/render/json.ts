import type { AccessFinding } from "../delta/finding";
import type { Review } from "../review";
import { renderRichText } from "../rich-text";
import { verdict } from "./summary";

/** A review as data for JSON: the review itself, its sentences as plain text. */
export function toJsonData(review: Review): object {
  const sentences = (findings: readonly AccessFinding[]) =>
    findings.map((each) => ({ ...each, what: renderRichText(each.what) }));
  const environments = review.environments.map((each) => ({
    ...each,
    access: sentences(each.access),
    driftAccess: sentences(each.driftAccess),
  }));
  return { verdict: renderRichText(verdict(review)), environments };
}
