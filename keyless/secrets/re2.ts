/** A regular expression as `new RegExp(...)` takes it. */
export type JsExpression = readonly [source: string, flags: string];

/** The POSIX classes as the content of a class of JavaScript. */
const POSIX: { readonly [name: string]: string } = {
  alnum: "a-zA-Z0-9",
  alpha: "a-zA-Z",
  digit: "0-9",
  lower: "a-z",
  space: "\\s",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

const LETTER = /^[A-Za-z]$/;

/**
 * Converts a regular expression of Go to JavaScript, whose versions before Node.js 23 have no flags for a part of an
 * expression: a part that ignores case is written with classes such as `[aA]`.
 *
 * @throws {Error} it contains syntax that is not converted
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function convertRe2(re2: string): JsExpression {
  // A leading flag is JavaScript's own, unless a part of the expression turns it off.
  const isInsensitive = re2.startsWith("(?i)") && !re2.includes("(?-i");
  const source = new Converter(isInsensitive ? re2.slice(4) : re2, isInsensitive).convert();
  const flags = isInsensitive ? "i" : "";
  new RegExp(source, flags);
  return [source, flags];
}

interface Flags {
  /** `i`: ignore case. */
  readonly i: boolean;
  /** `s`: the dot matches a newline. */
  readonly s: boolean;
}

class Converter {
  private at = 0;
  private output = "";
  /** The flags outside of each open group. */
  private readonly outer: Flags[] = [];
  private flags: Flags = { i: false, s: false };

  constructor(
    private readonly re2: string,
    private readonly isInsensitive: boolean,
  ) {}

  convert(): string {
    while (this.at < this.re2.length) {
      if (this.take(/\(\?P<\w+>/y)) this.open("(");
      else if (this.take(/\(\?/y)) this.group();
      else if (this.take(/\(/y)) this.open("(");
      else if (this.take(/\)/y)) {
        this.flags = this.outer.pop() ?? this.flags;
        this.output += ")";
      } else if (this.take(/\[/y)) this.output += this.characterClass();
      else if (this.take(/\./y)) this.output += this.flags.s ? "[\\s\\S]" : "[^\\n]";
      else if (this.take(/\\z/y)) this.output += "$";
      else if (this.take(/\\A/y)) this.output += "^";
      else this.output += this.literal(this.take(/\\x[0-9A-Fa-f]{2}|\\[\s\S]|[\s\S]/y) as string);
    }
    return this.output;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.re2)?.[0];
    this.at += match?.length ?? 0;
    return match;
  }

  private open(group: string): void {
    this.outer.push(this.flags);
    this.output += group;
  }

  private group(): void {
    const [, on = "", off = "", end] = /^([is]*)-?([is]*)([:)])$/.exec(this.take(/[is-]*[:)]/y) ?? "") ?? [];
    if (end === undefined) throw new Error(`syntax at ${this.at} of ${this.re2}`);
    const flag = (name: "i" | "s") => (on.includes(name) || this.flags[name]) && !off.includes(name);
    const flags = { i: flag("i"), s: flag("s") };
    if (end === ":") this.open("(?:");
    this.flags = flags;
  }

  private literal(text: string): string {
    return this.flags.i && !this.isInsensitive && LETTER.test(text)
      ? `[${text.toLowerCase()}${text.toUpperCase()}]`
      : text;
  }

  private characterClass(): string {
    let content = this.take(/\^/y) ?? "";
    // In Go, a bracket at the start of a class is a character.
    if (this.take(/\]/y)) content += "\\]";
    for (;;) {
      const posix = this.take(/\[:\w+:\]/y);
      if (posix !== undefined) {
        const known = POSIX[posix.slice(2, -2)];
        if (known === undefined) throw new Error(`${posix} in ${this.re2}`);
        content += known;
        continue;
      }
      const item = this.take(/(?:\\x[0-9A-Fa-f]{2}|\\[\s\S]|[^\]\\])(?:-(?:\\x[0-9A-Fa-f]{2}|\\[\s\S]|[^\]\\]))?/y);
      if (item === undefined) break;
      content += item === "[" ? "\\[" : this.inBothCases(item);
    }
    if (this.take(/\]/y) === undefined) throw new Error(`a class without end in ${this.re2}`);
    return `[${content}]`;
  }

  /** A character or a range of a class, with the same range of the other case. */
  private inBothCases(item: string): string {
    if (!this.flags.i || this.isInsensitive) return item;
    if (LETTER.test(item) || /^(?:[a-z]-[a-z]|[A-Z]-[A-Z])$/.test(item)) {
      const [lower, upper] = [item.toLowerCase(), item.toUpperCase()];
      return `${lower}${upper}`;
    }
    if (/^\w-\w$/.test(item) && !/^\d-\d$/.test(item)) throw new Error(`the range ${item} in ${this.re2}`);
    return item;
  }
}
