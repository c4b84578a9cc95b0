import type { PolicyDocument } from "./document";

/**
 * A document's size in characters as AWS counts it for its quotas: without the white space between JSON's tokens. White
 * space inside strings is counted, since AWS does not say that it is not.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export function policySize(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}
