/**
 * Whether one pattern of AWS's (`StringLike`, actions, resources) matches everything that another matches: `*` is any
 * run of characters, `?` exactly one, `${*}`, `${?}` and `${$}` are those characters themselves, any other `${…}` is a
 * policy variable whose value nobody knows here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function covers(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "*") return true;
  const [wides, narrows] = [tokens(wide), tokens(narrow)];
  // Most pairs are decided at their ends, where each side reads exactly one character.
  const start = agreement(wides, narrows, (list, at) => list[at]);
  if (start === undefined) return false;
  const [wideRest, narrowRest] = [wides.slice(start), narrows.slice(start)];
  const end = agreement(wideRest, narrowRest, (list, at) => list[list.length - 1 - at]);
  if (end === undefined) return false;
  return includes(wideRest.slice(0, wideRest.length - end), narrowRest.slice(0, narrowRest.length - end));
}

/**
 * The pattern that matches what an operator without wildcards, `StringEquals`, takes the text for: variables stay
 * variables.
 */
export function literal(text: string): string {
  return text.replace(/\$\{[^}]*\}|[*?]/g, (part) => (part.length === 1 ? `\${${part}}` : part));
}

/** The same for ARNs, whose six parts match each by itself: a wildcard does not run past a colon. */
export function coversArn(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "*") return true;
  const [wides, narrows] = [wide, narrow].map((arn) =>
    /^(arn):([^:]*):([^:]*):([^:]*):([^:]*):(.*)$/s.exec(arn)?.slice(1),
  );
  return wides !== undefined && narrows !== undefined && wides.every((part, at) => covers(part, narrows[at] ?? ""));
}

/** One character as itself (`=*` and `=?` where it is no wildcard), a wildcard, or a whole variable. */
type Token = string;

function tokens(pattern: string): readonly Token[] {
  if (!pattern.includes("${")) return Array.from(pattern);
  return Array.from(pattern.matchAll(/\$\{([^}]*)\}|[\s\S]/gu), ([text, name]) => {
    if (name === "$") return "$";
    return name === "*" || name === "?" ? `=${name}` : text;
  });
}

const isVariable = (token: Token) => token.startsWith("${");

/** Whether whatever one token of a pattern, no run, can read is read by another. */
const reads = (wide: Token, narrow: Token) => wide === narrow || (wide === "?" && !isVariable(narrow));

/** How many tokens from one end on agree, one by one, up to the first run; undefined when two disagree. */
function agreement(
  wide: readonly Token[],
  narrow: readonly Token[],
  token: (list: readonly Token[], at: number) => Token | undefined,
): number | undefined {
  for (let at = 0; ; at++) {
    const [one, other] = [token(wide, at), token(narrow, at)];
    if (one === undefined || other === undefined || one === "*" || other === "*") return at;
    if (!reads(one, other)) return undefined;
  }
}

/**
 * A character that occurs in neither pattern. Only the wildcards of the wide pattern match it, so it leads to the fewest
 * positions: if the wide pattern matches it in place of a wildcard, it matches every other character there too.
 */
const OTHER = "other";

/** The maximum number of states. Beyond it the answer is "no", so that a review reports granted access. */
const STATES = 20_000;

/**
 * Language inclusion of two automata. A state is a position in the narrow pattern and all positions in the wide pattern
 * that the same text can lead to. A text that only the narrow pattern matches to its end is a counterexample.
 */
function includes(wide: readonly Token[], narrow: readonly Token[]): boolean {
  if (wide.length === 1 && wide[0] === "*") return true;
  const seen = new Set<string>();
  const open: [number, readonly number[]][] = [[0, closure(wide, [0])]];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [at, positions] = state;
    const key = `${at}:${positions.join()}`;
    if (seen.has(key)) continue;
    if (seen.size === STATES) return false;
    seen.add(key);
    const token = narrow[at];
    if (token === undefined) {
      if (!positions.includes(wide.length)) return false;
      continue;
    }
    const character = token === "*" || token === "?" ? OTHER : token;
    open.push([token === "*" ? at : at + 1, step(wide, positions, character)]);
    // The shortest text is the most probable counterexample, so it is tried first.
    if (token === "*") open.push([at + 1, positions]);
  }
  return true;
}

function step(pattern: readonly Token[], positions: readonly number[], read: Token): readonly number[] {
  const next = new Set<number>();
  for (const at of positions) {
    const token = pattern[at];
    if (token === "*") next.add(at);
    else if (token !== undefined && reads(token, read)) next.add(at + 1);
  }
  return closure(pattern, [...next]);
}

/** The positions that can be had without reading a character: a run may be empty. */
function closure(pattern: readonly Token[], positions: readonly number[]): readonly number[] {
  const all = new Set(positions);
  for (const at of all) if (pattern[at] === "*") all.add(at + 1);
  return [...all].sort((a, b) => a - b);
}
