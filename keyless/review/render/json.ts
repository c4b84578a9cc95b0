import type { AccessFinding } from "../delta/finding";
import type { Review } from "../review";
import { plainText } from "../rich-text";
import { verdict } from "./summary";

/** A review as data for JSON: the review itself, its sentences as plain text. */
export function toJsonData(review: Review): object {
  const sentences = (findings: readonly AccessFinding[]) =>
    findings.map((each) => ({ ...each, what: plainText(each.what) }));
  const environments = review.environments.map((each) => ({
    ...each,
    access: sentences(each.access),
    driftAccess: sentences(each.driftAccess),
  }));
  return { verdict: plainText(verdict(review)), environments };
}
