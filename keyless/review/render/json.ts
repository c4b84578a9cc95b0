import type { Finding } from "../delta/finding";
import type { Review } from "../review";
import { plain } from "../rich-text";
import { verdict } from "./summary";

/** A review for machines: the review itself, its sentences as plain text. */
export function toJson(review: Review): string {
  const sentences = (findings: readonly Finding[]) => findings.map((each) => ({ ...each, what: plain(each.what) }));
  const environments = review.environments.map((each) => ({
    ...each,
    access: sentences(each.access),
    driftAccess: sentences(each.driftAccess),
  }));
  return `${JSON.stringify({ verdict: plain(verdict(review)), environments }, null, 2)}\n`;
}
