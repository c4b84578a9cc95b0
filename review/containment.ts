/**
 * Whether one pattern of AWS's (`StringLike`, actions, resources) matches everything that another matches: `*` is any run of characters,
 * `?` exactly one, `${*}`, `${?}` and `${$}` are those characters themselves, any other `${…}` is a policy variable whose value
 * nobody knows here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function covers(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === "*") return true;
  return includes(tokens(wide), tokens(narrow));
}

/** The pattern that matches what an operator without wildcards, `StringEquals`, takes the text for: variables stay variables. */
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

type Token = { readonly kind: "run" | "one" } | { readonly kind: "text" | "variable"; readonly value: string };

function tokens(pattern: string): Token[] {
  return [...pattern.matchAll(/\$\{([^}]*)\}|[\s\S]/gu)].map(([text, name]): Token => {
    if (name !== undefined)
      return /^[*?$]$/.test(name) ? { kind: "text", value: name } : { kind: "variable", value: text };
    if (text === "*") return { kind: "run" };
    return text === "?" ? { kind: "one" } : { kind: "text", value: text };
  });
}

/** A character that stands in neither pattern: what holds for it holds for every other one that they do not name. */
const OTHER = "other";

/** More states than two sane patterns ever need. Beyond, the answer is "no", which makes a review say "gained". */
const STATES = 20_000;

/**
 * Language inclusion: both patterns are read as automata side by side. A state is a position in the narrow one and all the
 * positions in the wide one that the same text can have led to; a text that ends the narrow one only is a counterexample.
 */
function includes(wide: readonly Token[], narrow: readonly Token[]): boolean {
  const alphabet = [
    OTHER,
    ...new Set([...wide, ...narrow].flatMap((token) => ("value" in token ? [symbol(token)] : []))),
  ];
  const characters = alphabet.filter((each) => !each.startsWith("variable"));
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
    if (token.kind === "run") open.push([at + 1, positions]);
    const next = token.kind === "run" ? at : at + 1;
    for (const read of "value" in token ? [symbol(token)] : characters) open.push([next, step(wide, positions, read)]);
  }
  return true;
}

function symbol(token: Token): string {
  return "value" in token ? `${token.kind} ${token.value}` : OTHER;
}

function step(pattern: readonly Token[], positions: readonly number[], read: string): readonly number[] {
  const next = new Set<number>();
  for (const at of positions) {
    const token = pattern[at];
    if (token?.kind === "run") next.add(at);
    else if (token?.kind === "one" ? !read.startsWith("variable") : token && symbol(token) === read) next.add(at + 1);
  }
  return closure(pattern, [...next]);
}

/** The positions that can be had without reading a character: a run may be empty. */
function closure(pattern: readonly Token[], positions: readonly number[]): readonly number[] {
  const all = new Set(positions);
  for (const at of all) if (pattern[at]?.kind === "run") all.add(at + 1);
  return [...all].sort((a, b) => a - b);
}
