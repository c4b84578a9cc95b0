import { findSecrets } from "./secrets/find";
import { replaceRanges } from "./secrets/ranges";

/**
 * Replaces what has the format of a credential in a text, e.g. access keys, private keys, tokens and passwords in URLs,
 * also where it is encoded: see docs/review.md.
 *
 * @param mark what to add to each replacement, e.g. a fingerprint of the credential; default: nothing
 */
export function redact(text: string, mark: (credential: string) => string = () => ""): string {
  return replaceRanges(text, findSecrets(text), (credential) => `(hidden: looks like a credential${mark(credential)})`);
}
