import { commonStart, literalPattern } from "../../policy/containment";
import { matchesPattern } from "../../policy/pattern";

/** Whether a value of a condition matches a text: as a pattern for `…Like` operators, otherwise literally. */
export function matchesAs(operator: string, wanted: string, text: string): boolean {
  if (operator.includes("Like")) return matchesPattern(wanted, text);
  return operator.includes("IgnoreCase") ? wanted.toLowerCase() === text.toLowerCase() : wanted === text;
}

/** The length of a text up to the first character that does not match a value of a condition. */
export function firstDifference(operator: string, wanted: string, text: string): number {
  return commonStart(operator.includes("Like") ? wanted : literalPattern(wanted), text);
}
