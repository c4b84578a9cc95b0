import { matchesPattern } from "../../policy/pattern";

/** Whether a policy's value matches a text under an operator: with wildcards under `…Like`, letter by letter otherwise. */
export function matchesAs(operator: string, wanted: string, text: string): boolean {
  if (operator.includes("Like")) return matchesPattern(wanted, text);
  return operator.includes("IgnoreCase") ? wanted.toLowerCase() === text.toLowerCase() : wanted === text;
}

/** How many characters of a text agree with a policy's value: the longest start of the text that some match begins with. */
export function commonStart(operator: string, wanted: string, text: string): number {
  const wildcards = operator.includes("Like");
  const isRun = (at: number) => wildcards && wanted[at] === "*";
  // The places in `wanted` at which a match of the text so far may stand; a run may be left at once.
  const close = (places: number[]) => {
    const closed = new Set(places);
    for (const at of closed) if (isRun(at)) closed.add(at + 1);
    return closed;
  };
  let places = close([0]);
  for (let index = 0; index < text.length; index++) {
    const next = [...places].flatMap((at) => {
      if (isRun(at)) return [at];
      return wanted[at] === text[index] || (wildcards && wanted[at] === "?") ? [at + 1] : [];
    });
    if (next.length === 0) return index;
    places = close(next);
  }
  return text.length;
}
