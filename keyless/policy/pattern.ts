const anyRun = Symbol("*");
const anyOne = Symbol("?");

/** A compiled pattern: single characters, and the wildcards `*` (any run of characters) and `?` (exactly one). */
export type Pattern = readonly (string | typeof anyRun | typeof anyOne)[];

/** Compiles a pattern. `*` and `?` are wildcards; AWS patterns have no other special characters. */
export function compilePattern(text: string): Pattern {
  return Array.from(text, (character) => (character === "*" ? anyRun : character === "?" ? anyOne : character));
}

/** The text of a pattern, with wildcards as literal characters, e.g. for `StringEquals`. */
export function patternText(pattern: Pattern): string {
  return pattern.map((token) => (token === anyRun ? "*" : token === anyOne ? "?" : token)).join("");
}

/**
 * Whether a pattern matches the whole text. `*` matches any number of characters, including none, `/` and `:`; `?`
 * matches exactly one. The time is at most proportional to pattern × text: only the last `*` is retried.
 */
export function matches(pattern: Pattern, text: string): boolean {
  const characters = Array.from(text);
  let at = 0;
  let next = 0;
  let lastRun = -1;
  let runEnd = 0;
  while (at < characters.length) {
    const token = pattern[next];
    if (token === anyRun) {
      lastRun = next++;
      runEnd = at;
    } else if (token === anyOne || (token !== undefined && token === characters[at])) {
      next++;
      at++;
    } else if (lastRun >= 0) {
      next = lastRun + 1;
      at = ++runEnd;
    } else {
      return false;
    }
  }
  while (pattern[next] === anyRun) next++;
  return next === pattern.length;
}

/** Whether a pattern with the wildcards `*` and `?` matches the whole text, case-sensitively. */
export function matchesPattern(pattern: string, text: string): boolean {
  return matches(compilePattern(pattern), text);
}

/**
 * Whether an ARN matches a pattern of `ArnLike`: each of the six parts is compared separately, so a wildcard does not
 * match across a colon except in the last part, which can contain colons. Undefined if one of the two is not an ARN.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function matchesArn(pattern: Pattern, arn: string): boolean | undefined {
  const wanted = arnParts(pattern);
  const actual = arnParts(Array.from(arn));
  if (wanted === undefined || actual === undefined) return undefined;
  return wanted.every((part, index) => matches(part, (actual[index] ?? []).join("")));
}

function arnParts<T extends Pattern[number]>(tokens: readonly T[]): T[][] | undefined {
  const parts: T[][] = [[]];
  for (const token of tokens) {
    if (token === ":" && parts.length < 6) parts.push([]);
    else parts[parts.length - 1]?.push(token);
  }
  return parts.length === 6 ? parts : undefined;
}
