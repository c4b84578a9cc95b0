import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../project-folder";
import type { TextRange } from "./ranges";
import type { JsExpression } from "./re2";

/** What a rule finds is no secret if one of the expressions matches, or if it contains one of the words. */
export interface Allowance {
  /** The expressions are applied to the whole match with the name before it. Default: to the secret. */
  readonly match?: boolean;
  readonly regexes?: readonly JsExpression[];
  /** In lower case. */
  readonly stopwords?: readonly string[];
}

/** A format of secrets, in the terms of gitleaks. */
export interface Rule {
  readonly id: string;
  readonly regex: JsExpression;
  /** In lower case: the rule is applied to texts that contain one of them. */
  readonly keywords: readonly string[];
  /** The bits of entropy per character that a secret exceeds. Default: any. */
  readonly entropy?: number;
  /** The number of the group that is the secret. Default: the first that is not empty, or the whole match. */
  readonly group?: number;
  readonly allow?: readonly Allowance[];
}

/** A table of rules. */
export interface RuleTable {
  /** Applies to all rules of the table. */
  readonly allow: readonly Allowance[];
  readonly rules: readonly Rule[];
  /** Added to the rules of other tables with these ids. */
  readonly extensions?: { readonly [id: string]: readonly Allowance[] };
}

/** Characters of a name before a match that allowlists are applied to. */
const NAME_LENGTH = 50;
/** Longer values are not judged by the name of their attribute. */
const LONGEST_NAMED_VALUE = 1_000;

/** A table of rules in this folder: `gitleaks.json`, or `own-rules.json` with what gitleaks has no rule for. */
export function readRules(file: "gitleaks.json" | "own-rules.json"): RuleTable {
  return JSON.parse(readFileSync(join(projectFolder, "keyless", "secrets", file), "utf8"));
}

let formats: Formats | undefined;

/** Where a text has the format of a credential. */
export function findCredentials(text: string): TextRange[] {
  formats ??= new Formats([readRules("gitleaks.json"), readRules("own-rules.json")]);
  return formats.find(text, formats.triggered(text));
}

/** Whether the name of a value, e.g. `db_password`, and the value itself have the format of a credential. */
export function isNamedCredential(name: string, value: string): boolean {
  if (name === "" || value.length > LONGEST_NAMED_VALUE) return false;
  formats ??= new Formats([readRules("gitleaks.json"), readRules("own-rules.json")]);
  const rules = formats.triggered(name);
  // The value is one token, whatever is in it.
  const assignment = `${name}="${value.replace(/[\s"'`;\\]/g, "_")}"`;
  return rules.length > 0 && formats.find(assignment, rules).some(({ end }) => end > name.length + 2);
}

/** A rule with compiled expressions. */
interface CompiledRule {
  readonly entropy: number;
  readonly group?: number;
  readonly allow: readonly Allowance[];
  readonly regex: RegExp;
}

class Formats {
  /** By the codes of their first two characters. */
  private readonly keywords: (readonly string[] | undefined)[] = [];
  private readonly rules = new Map<string, Rule[]>();
  private readonly compiled = new Map<Rule, CompiledRule>();
  private readonly expressions = new Map<JsExpression, RegExp>();

  constructor(private readonly tables: readonly RuleTable[]) {
    for (const { rules } of tables)
      for (const rule of rules)
        for (const keyword of rule.keywords) {
          const list = this.rules.get(keyword);
          if (list === undefined) this.rules.set(keyword, [rule]);
          else list.push(rule);
        }
    for (const keyword of this.rules.keys()) {
      const index = pair(keyword.charCodeAt(0), keyword.charCodeAt(1));
      this.keywords[index] = [...(this.keywords[index] ?? []), keyword];
    }
  }

  /** The rules of which a text contains a keyword. */
  triggered(text: string): Rule[] {
    const lower = text.toLowerCase();
    const found = new Set<string>();
    let previous = lower.charCodeAt(0);
    for (let at = 1; at < lower.length; at += 1) {
      const code = lower.charCodeAt(at);
      const candidates = previous < 128 && code < 128 ? this.keywords[pair(previous, code)] : undefined;
      if (candidates !== undefined)
        for (const keyword of candidates) if (lower.startsWith(keyword, at - 1)) found.add(keyword);
      previous = code;
    }
    return [...new Set([...found].flatMap((keyword) => this.rules.get(keyword) ?? []))];
  }

  find(text: string, rules: readonly Rule[]): TextRange[] {
    return rules.flatMap((rule) => this.findRule(text, this.compile(rule)));
  }

  private findRule(text: string, rule: CompiledRule): TextRange[] {
    const found: TextRange[] = [];
    rule.regex.lastIndex = 0;
    for (let match = rule.regex.exec(text); match !== null; match = rule.regex.exec(text)) {
      const groups = match.indices ?? [];
      const group =
        rule.group ?? (match.findIndex((part, index) => index > 0 && part !== undefined && part !== "") || 0);
      const [start, end] = groups[Math.max(0, group)] ?? [match.index, rule.regex.lastIndex];
      const secret = text.slice(start, end);
      if (entropyOf(secret) > rule.entropy && !rule.allow.some((each) => this.allows(each, text, match, secret)))
        found.push({ start, end });
      // The secret of a match that is none can be the name of the next.
      else rule.regex.lastIndex = Math.max(match.index + 1, start);
    }
    return found;
  }

  private allows(
    { match: isMatch, regexes = [], stopwords = [] }: Allowance,
    text: string,
    match: RegExpExecArray,
    secret: string,
  ): boolean {
    const target = isMatch ? nameBefore(text, match.index) + match[0] : secret;
    const lower = secret.toLowerCase();
    return (
      regexes.some((pattern) => this.expression(pattern).test(target)) || stopwords.some((word) => lower.includes(word))
    );
  }

  private compile(rule: Rule): CompiledRule {
    const known = this.compiled.get(rule);
    if (known !== undefined) return known;
    const [source, flags] = rule.regex;
    const table = this.tables.find(({ rules }) => rules.includes(rule));
    const extensions = this.tables.flatMap((each) => each.extensions?.[rule.id] ?? []);
    const compiled = {
      ...{ entropy: rule.entropy ?? -1, group: rule.group },
      allow: [...(rule.allow ?? []), ...(table?.allow ?? []), ...extensions],
      regex: new RegExp(source, `dg${flags}`),
    };
    this.compiled.set(rule, compiled);
    return compiled;
  }

  private expression(pattern: JsExpression): RegExp {
    const known = this.expressions.get(pattern) ?? new RegExp(...pattern);
    this.expressions.set(pattern, known);
    return known;
  }
}

const pair = (first: number, second: number) => first * 128 + second;

function nameBefore(text: string, end: number): string {
  return /[\w.-]*$/.exec(text.slice(Math.max(0, end - NAME_LENGTH), end))?.[0] ?? "";
}

/** Shannon's entropy in bits per character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}
