import type { Verdict } from "./decision";
import { arnParts, resourceFault, resourceParts } from "./pattern";

/**
 * Whether one AWS pattern (`StringLike`, actions, resources) matches everything that another matches. `*` matches any
 * number of characters, `?` exactly one; `${*}`, `${?}` and `${$}` are literal characters; any other `${…}` is a policy
 * variable, which equals only itself because its value is unknown.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function covers(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "*") return true;
  const [wides, narrows] = [symbolsOf(wide), symbolsOf(narrow)];
  // Most pairs are decided at their ends, where each symbol matches exactly one character.
  const start = agreement(wides, narrows, (list, at) => list[at]);
  if (start === undefined) return false;
  const [wideRest, narrowRest] = [wides.slice(start), narrows.slice(start)];
  const end = agreement(wideRest, narrowRest, (list, at) => list[list.length - 1 - at]);
  if (end === undefined) return false;
  return isIncluded(wideRest.slice(0, wideRest.length - end), narrowRest.slice(0, narrowRest.length - end));
}

/** The pattern that matches what `StringEquals` with this text matches: wildcards are escaped, variables are kept. */
export function literalPattern(text: string): string {
  return text.replace(/\$\{[^}]*\}|[*?]/g, (part) => (part.length === 1 ? `\${${part}}` : part));
}

/** The length of the longest beginning of a text with which a text that the pattern matches can begin. */
export function commonStart(pattern: string, text: string): number {
  const symbols = symbolsOf(pattern);
  let positions = closure(symbols, [0]);
  let length = 0;
  for (const character of text) {
    positions = step(symbols, positions, character === "*" || character === "?" ? `=${character}` : character);
    if (positions.length === 0) return length;
    length += character.length;
  }
  return length;
}

/**
 * {@link covers} for resources, as the policy engine compares them: each part of the ARN separately, so a wildcard does
 * not match across a colon, and a resource that AWS does not accept covers only itself.
 */
export function coversArn(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "*") return true;
  const isUncertain = (resource: string) => arnParts(resource).length < 6 && !resource.endsWith("*");
  if (resourceFault(wide) !== undefined || isUncertain(wide) || isUncertain(narrow)) return false;
  const narrows = resourceParts(narrow);
  return resourceParts(wide).every((part, at) => covers(part, narrows[at] ?? ""));
}

/**
 * Whether a resource in a policy matches at least one of the ARNs that a pattern matches. A policy variable can have any
 * value. `unsupported`: AWS does not document whether it does, because a wildcard would match a colon or a part is missing,
 * or AWS does not accept the resource ({@link resourceFault}).
 */
export function overlapsArn(resource: string, target: string): Verdict {
  if (resource === "*") return "matched";
  if (target === "*") return "not-matched";
  if (!resource.startsWith("arn:")) return "unsupported";
  const given = arnParts(resource);
  const parts = resourceParts(resource);
  const wanted = arnSymbols(resourceParts(target), false);
  if (overlaps(arnSymbols(parts, false), wanted)) {
    const isCertain = resourceFault(resource) === undefined && (given.length === 6 || resource.endsWith("*"));
    return isCertain ? "matched" : "unsupported";
  }
  const isPossible = [parts, given].some((each) => overlaps(arnSymbols(each, true), wanted));
  return isPossible ? "unsupported" : "not-matched";
}

/** A symbol of an ARN, in which a wildcard matches a colon only if it is in the last part, or at the end of another. */
interface ArnSymbol {
  readonly symbol: PatternSymbol;
  readonly crosses: boolean;
}

function arnSymbols(parts: readonly string[], crossing: boolean): ArnSymbol[] {
  return parts.flatMap((part, index) => {
    const symbols = symbolsOf(part).map((symbol) => (isVariable(symbol) ? "*" : symbol));
    const isLast = index === 5;
    const own = symbols.map((symbol, at) => ({
      symbol,
      crosses: isLast || (crossing && symbol === "*" && at === symbols.length - 1),
    }));
    return index === 0 ? own : [{ symbol: ":", crosses: false }, ...own];
  });
}

/** Whether a text exists that both patterns match. The time is at most proportional to the product of their lengths. */
function overlaps(one: readonly ArnSymbol[], other: readonly ArnSymbol[]): boolean {
  const seen = new Set<number>();
  const open: [number, number][] = [[0, 0]];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [at, otherAt] = state;
    const key = at * (other.length + 1) + otherAt;
    if (seen.has(key)) continue;
    seen.add(key);
    const [symbol, otherSymbol] = [one[at], other[otherAt]];
    if (symbol === undefined && otherSymbol === undefined) return true;
    const [isRun, isOtherRun] = [symbol?.symbol === "*", otherSymbol?.symbol === "*"];
    if (isRun) open.push([at + 1, otherAt]);
    if (isOtherRun) open.push([at, otherAt + 1]);
    if (symbol !== undefined && otherSymbol !== undefined && agree(symbol, otherSymbol)) {
      open.push([isRun ? at : at + 1, isOtherRun ? otherAt : otherAt + 1]);
    }
  }
  return false;
}

/** Whether two symbols match a character in common. */
function agree(one: ArnSymbol, other: ArnSymbol): boolean {
  const isWildcard = ({ symbol }: ArnSymbol) => symbol === "*" || symbol === "?";
  const matches = (wild: ArnSymbol, { symbol }: ArnSymbol) => isWildcard(wild) && (symbol !== ":" || wild.crosses);
  if (isWildcard(one) && isWildcard(other)) return true;
  return one.symbol === other.symbol || matches(one, other) || matches(other, one);
}

/** A literal character (`=*` and `=?` for escaped wildcards), a wildcard, or a policy variable. */
type PatternSymbol = string;

function symbolsOf(pattern: string): readonly PatternSymbol[] {
  if (!pattern.includes("${")) return Array.from(sortedRuns(pattern));
  return Array.from(sortedRuns(pattern).matchAll(/\$\{([^}]*)\}|[\s\S]/gu), ([text, name]) => {
    if (name === "$") return "$";
    return name === "*" || name === "?" ? `=${name}` : text;
  });
}

/** The pattern with each run of wildcards as `?`, then one `*`: `?*?*` matches what `??*` matches, in fewer states. */
function sortedRuns(pattern: string): string {
  return pattern.replace(/\$\{[^}]*\}|[*?]{2,}/g, (run) =>
    run.startsWith("$") || !run.includes("*") ? run : `${run.replaceAll("*", "")}*`,
  );
}

const isVariable = (symbol: PatternSymbol) => symbol.startsWith("${");

/** Whether a symbol other than `*` matches everything that another one matches. */
const matchesSymbol = (wide: PatternSymbol, narrow: PatternSymbol) =>
  wide === narrow || (wide === "?" && !isVariable(narrow));

/** The number of symbols that match from one end up to the first `*`. Undefined if two do not match. */
function agreement(
  wide: readonly PatternSymbol[],
  narrow: readonly PatternSymbol[],
  symbolAt: (list: readonly PatternSymbol[], at: number) => PatternSymbol | undefined,
): number | undefined {
  for (let at = 0; ; at++) {
    const [one, other] = [symbolAt(wide, at), symbolAt(narrow, at)];
    if (one === undefined || other === undefined || one === "*" || other === "*") return at;
    if (!matchesSymbol(one, other)) return undefined;
  }
}

/**
 * A character that occurs in neither pattern. Only the wildcards of the wide pattern match it, so it leads to the fewest
 * positions: if the wide pattern matches it in place of a wildcard, it matches every other character there too.
 */
const OTHER = "other";

/** The maximum number of positions in all states. Beyond it the answer is "no": a review reports granted access. */
const POSITIONS = 500_000;

/**
 * Language inclusion of two automata. A state is a position in the narrow pattern and all positions in the wide pattern
 * that the same text can lead to. A text that only the narrow pattern matches to its end is a counterexample.
 */
function isIncluded(wide: readonly PatternSymbol[], narrow: readonly PatternSymbol[]): boolean {
  if (wide.length === 1 && wide[0] === "*") return true;
  const seen = new Set<string>();
  let count = 0;
  const open: [number, readonly number[]][] = [[0, closure(wide, [0])]];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [at, positions] = state;
    const key = `${at}:${positions.join()}`;
    if (seen.has(key)) continue;
    count += positions.length;
    if (count > POSITIONS) return false;
    seen.add(key);
    const symbol = narrow[at];
    if (symbol === undefined) {
      if (!positions.includes(wide.length)) return false;
      continue;
    }
    const character = symbol === "*" || symbol === "?" ? OTHER : symbol;
    open.push([symbol === "*" ? at : at + 1, step(wide, positions, character)]);
    // The shortest text is the most probable counterexample, so it is tried first.
    if (symbol === "*") open.push([at + 1, positions]);
  }
  return true;
}

function step(
  pattern: readonly PatternSymbol[],
  positions: readonly number[],
  character: PatternSymbol,
): readonly number[] {
  const next = new Set<number>();
  for (const at of positions) {
    const symbol = pattern[at];
    if (symbol === "*") next.add(at);
    else if (symbol !== undefined && matchesSymbol(symbol, character)) next.add(at + 1);
  }
  return closure(pattern, [...next]);
}

/**
 * The positions reachable without a character: `*` also matches nothing. Those before the last `*` are left out: what
 * matches from there also matches from that `*`.
 */
function closure(pattern: readonly PatternSymbol[], positions: readonly number[]): readonly number[] {
  const all = new Set(positions);
  for (const at of all) if (pattern[at] === "*") all.add(at + 1);
  const sorted = [...all].sort((a, b) => a - b);
  return sorted.slice(Math.max(0, sorted.map((at) => pattern[at] === "*").lastIndexOf(true)));
}
