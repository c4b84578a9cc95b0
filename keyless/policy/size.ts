import type { PolicyDocument } from "./document";

/**
 * The size of a document in characters, as AWS counts it for its quotas: without white space between JSON tokens. AWS
 * does not document whether white space in strings counts; it is counted here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export function policySize(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}
