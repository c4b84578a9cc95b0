import type { PolicyDocument } from "./document";

export function policySize(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}
