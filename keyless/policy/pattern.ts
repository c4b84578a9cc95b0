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
 * The parts of an ARN in a policy, split at the first five colons. Colons in policy variables do not count, so that the
 * value of a variable cannot move the other parts.
 */
export function arnParts(text: string): readonly string[] {
  const parts = [""];
  for (const [token] of text.matchAll(/\$\{[^}]*\}|[\s\S]/g)) {
    if (token === ":" && parts.length < 6) parts.push("");
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** The parts of a resource in a policy; those that a shorter ARN does not have are `*`. */
export function resourceParts(value: string): readonly string[] {
  const parts = arnParts(value);
  return [...parts, ...new Array<string>(6 - parts.length).fill("*")];
}

/**
 * Whether an ARN matches the patterns of its six parts: each is compared separately, so a wildcard does not match across
 * a colon, except in the last part, which can contain colons. Undefined if the text is not an ARN.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function matchesArn(wanted: readonly Pattern[], arn: string): boolean | undefined {
  const [arnPrefix, partition, service, region, account, ...resource] = arn.split(":");
  if (resource.length === 0) return undefined;
  const actual = [arnPrefix, partition, service, region, account, resource.join(":")];
  return wanted.every((part, index) => matches(part, actual[index] ?? ""));
}

/**
 * Like {@link matchesArn}, but a `*` at the end of a part also matches across colons.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards
 */
export function matchesArnBeyondColons(wanted: readonly Pattern[], arn: string): boolean {
  const tokens = wanted.flatMap((part, index) => {
    const crosses = (at: number) => index === 5 || (part[at] === anyRun && at === part.length - 1);
    const own = part.map((token, at) => ({ token, crosses: crosses(at) }));
    return index === 0 ? own : [{ token: ":", crosses: false }, ...own];
  });
  // The positions in the pattern that the text so far can lead to.
  const withRuns = (positions: Set<number>) => {
    for (const at of positions) if (tokens[at]?.token === anyRun) positions.add(at + 1);
    // What matches from a position before a `*` that crosses colons also matches from that `*`.
    const last = Math.max(...[...positions].filter((at) => tokens[at]?.token === anyRun && tokens[at].crosses));
    for (const at of positions) if (at < last) positions.delete(at);
    return positions;
  };
  let positions = withRuns(new Set([0]));
  for (const character of arn) {
    const next = new Set<number>();
    for (const at of positions) {
      const { token, crosses } = tokens[at] ?? {};
      const isWildcardMatch = crosses === true || character !== ":";
      if (token === anyRun && isWildcardMatch) next.add(at);
      else if (token === character || (token === anyOne && isWildcardMatch)) next.add(at + 1);
    }
    positions = withRuns(next);
  }
  return positions.has(tokens.length);
}

/** Why a resource in a policy is not one that AWS documents as valid. Undefined if it is. */
export function resourceFault(value: string): string | undefined {
  if (value === "*") return undefined;
  if (!value.startsWith("arn:")) return `"${value}" is neither an ARN nor "*"`;
  const parts = arnParts(value);
  if (parts.slice(0, 5).some((part) => part.includes("${"))) {
    return `"${value}" has a policy variable before its fifth colon`;
  }
  const [, , service = "", , , resource = ""] = parts;
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
  if (/[*?]/.test(service)) return `"${value}" has a wildcard in the service`;
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
  if (service === "iam" && resource !== "*" && /^[^/]*[*?]/.test(resource)) {
    return `"${value}" has a wildcard in the type of resource`;
  }
  return undefined;
}
