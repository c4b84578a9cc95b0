import { type Context, resolveVariables } from "./context";
import {
  type ConditionResult,
  every,
  type MatchResult,
  not,
  some,
  unsupported,
  type Verdict,
  verdictOf,
} from "./decision";
import { matchesCidr, parseCidr } from "./ip";
import type { NormalizedCondition } from "./normal-form";
import { arnParts, matches, matchesArn, type Pattern, patternText } from "./pattern";

/** What a condition is evaluated against. */
export interface ConditionScope {
  readonly context: Context;
  /** An unresolved variable or unknown key must not make an Allow match, or keep a Deny from matching. */
  readonly effect: "Allow" | "Deny";
  /** Whether the version of the policy document has policy variables. */
  readonly variables: boolean;
  /** See {@link EvaluationOptions.unknownKey}. */
  readonly unknownKey: (key: string) => string | undefined;
}

/** Compares a value of the request with one value of the policy; undefined if they cannot be compared. */
type ValueTest = (actual: string) => boolean | undefined;

interface ValueComparison {
  /** Whether AWS resolves policy variables in the values of the policy. */
  readonly hasVariables: boolean;
  /** Splits a value of the policy before its variables are resolved. Default: it is one part. */
  readonly split?: (value: string) => readonly string[];
  /** Makes a test from the parts of a value of the policy; undefined if the value is malformed. */
  readonly test: (wanted: readonly Pattern[]) => ValueTest | undefined;
}

interface Operator {
  readonly comparison: ValueComparison;
  readonly negated: boolean;
}

const isEqual = (actual: unknown, wanted: unknown) => actual === wanted;
const exactly = comparedStrings((text) => text);
const ignoringCase = comparedStrings((text) => text.toLowerCase());
const like: ValueComparison = {
  hasVariables: true,
  test:
    ([wanted = []]) =>
    (actual) =>
      matches(wanted, actual),
};
const arnLike: ValueComparison = {
  hasVariables: true,
  split: arnParts,
  test: (wanted) => (wanted.length === 6 ? (actual) => matchesArn(wanted, actual) : undefined),
};

type OperatorDefinition = [name: string, comparison: ValueComparison, negation?: string];

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const OPERATORS: readonly OperatorDefinition[] = [
  ["StringEquals", exactly, "StringNotEquals"],
  ["StringEqualsIgnoreCase", ignoringCase, "StringNotEqualsIgnoreCase"],
  ["StringLike", like, "StringNotLike"],
  // AWS: ArnEquals and ArnLike "behave identically", wildcards included.
  ["ArnEquals", arnLike, "ArnNotEquals"],
  ["ArnLike", arnLike, "ArnNotLike"],
  ["IpAddress", parsedPolicyValue(parseCidr, matchesCidr), "NotIpAddress"],
  ["Bool", parsedValues(parseBool, isEqual)],
  ["BinaryEquals", parsedValues(parseBase64, isEqual)],
  ...orderOperators("Numeric", parseNumber),
  ...orderOperators("Date", parseDate),
];

const operators = new Map<string, Operator>();
for (const [name, comparison, negation] of OPERATORS) {
  operators.set(name, { comparison, negated: false });
  if (negation !== undefined) operators.set(negation, { comparison, negated: true });
}

function orderOperators(type: string, parse: (text: string) => number | undefined): OperatorDefinition[] {
  return [
    [`${type}Equals`, parsedValues(parse, isEqual), `${type}NotEquals`],
    [`${type}LessThan`, parsedValues(parse, (actual, wanted) => actual < wanted)],
    [`${type}LessThanEquals`, parsedValues(parse, (actual, wanted) => actual <= wanted)],
    [`${type}GreaterThan`, parsedValues(parse, (actual, wanted) => actual > wanted)],
    [`${type}GreaterThanEquals`, parsedValues(parse, (actual, wanted) => actual >= wanted)],
  ];
}

function comparedStrings(normalize: (text: string) => string): ValueComparison {
  return {
    hasVariables: true,
    test: ([wanted = []]) => {
      const text = normalize(patternText(wanted));
      return (actual) => normalize(actual) === text;
    },
  };
}

/** A comparison with a parsed value of the policy. */
function parsedPolicyValue<T>(
  parse: (text: string) => T | undefined,
  compare: (wanted: T, actual: string) => boolean | undefined,
): ValueComparison {
  return {
    hasVariables: false,
    test: ([pattern = []]) => {
      const wanted = parse(patternText(pattern));
      return wanted === undefined ? undefined : (actual) => compare(wanted, actual);
    },
  };
}

/** A comparison of parsed values. */
function parsedValues<T>(
  parse: (text: string) => T | undefined,
  compare: (actual: T, wanted: T) => boolean,
): ValueComparison {
  return parsedPolicyValue(parse, (wanted, value) => {
    const actual = parse(value);
    return actual === undefined ? undefined : compare(actual, wanted);
  });
}

/** Whether AWS has a condition operator of this name, including `ForAllValues:`, `ForAnyValue:` and `…IfExists`. */
export function isConditionOperator(name: string): boolean {
  return name === "Null" || readOperator(name) !== undefined;
}

function parseBool(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** A number of more than 15 digits is not supported: JavaScript numbers are not exact beyond that. */
function parseNumber(text: string): number | undefined {
  if (!/^[+-]?\d+(\.\d+)?$/.test(text) || text.replace(/\D/g, "").length > 15) return undefined;
  return Number(text);
}

/** Reads a date of https://www.w3.org/TR/NOTE-datetime, or seconds since 1970, as milliseconds since 1970. */
function parseDate(text: string): number | undefined {
  if (/^-?\d{5,12}$/.test(text)) return Number(text) * 1000;
  const date = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/.exec(text);
  if (date === null) return undefined;
  const [, year, month = "01", day = "01"] = date;
  const midnight = new Date(`${year}-${month}-${day}`);
  // JavaScript reads February 30 as March 1.
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Base64 in canonical form, so that equal bytes are equal strings. */
function parseBase64(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  return Buffer.from(text, "base64").toString("base64");
}

/**
 * Evaluates one operator on one key.
 *
 * If the key is absent, a positive operator and `ForAnyValue:` (also with `…IfExists`) do not match; a negated operator,
 * `…IfExists` and `ForAllValues:` do, as AWS documents. If the key has several values, an operator without `ForAnyValue:`
 * or `ForAllValues:` does not match. A key that does not exist for the issuer is absent in every request. In an
 * Allow, a condition on it never matches, because the condition cannot have the effect that its author intended; in a
 * Deny it is evaluated as absent, as AWS does.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function evaluateCondition(condition: NormalizedCondition, scope: ConditionScope): ConditionResult {
  const { operator, key, values: wanted, fault } = condition;
  const actual = scope.context.get(key.toLowerCase());
  return { operator, key, wanted, actual, ...match() };

  function match(): MatchResult {
    if (fault !== undefined) return unsupported(fault);
    const unknown = scope.unknownKey(key);
    if (unknown !== undefined && scope.effect === "Allow") return { verdict: "not-matched", note: unknown };
    const { verdict, note } = operator === "Null" ? matchNull(wanted, actual) : matchOperator(condition, actual, scope);
    return { verdict, note: unknown ?? note };
  }
}

function matchNull(wanted: readonly string[], actual: readonly string[] | undefined): MatchResult {
  const values = wanted.map(parseBool);
  if (values.includes(undefined)) return unsupported('the value of Null must be "true" or "false"');
  if (actual?.every((value) => value === "") && new Set(values).size === 1) {
    return unsupported("AWS does not document whether an empty value is null");
  }
  return { verdict: verdictOf(values.includes(actual === undefined)) };
}

function readOperator(name: string) {
  const [, set, base = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name) ?? [];
  const operator = operators.get(base);
  return operator && { ...operator, set, ifExists: ifExists !== undefined };
}

function matchOperator(
  { operator: name, values: wanted }: NormalizedCondition,
  actual: readonly string[] | undefined,
  { context, effect, variables }: ConditionScope,
): MatchResult {
  const operator = readOperator(name);
  if (operator === undefined) return unsupported(`unknown operator "${name}"`);
  const { comparison, negated, set, ifExists } = operator;
  const tests: ValueTest[] = [];
  // Why a variable in one of the values cannot be resolved. Such a value matches nothing and has no test.
  let unresolved: string | undefined;
  for (const value of wanted) {
    const parts = comparison.split?.(value) ?? [value];
    const resolved = resolveVariables(parts, comparison.hasVariables && variables ? context : undefined);
    if (resolved.kind === "unsupported") return unsupported(resolved.note);
    const test = resolved.kind === "patterns" ? comparison.test(resolved.patterns) : undefined;
    if (resolved.kind === "unresolved") unresolved = resolved.note;
    else if (test === undefined) return unsupported(`malformed value "${value}"`);
    else tests.push(test);
  }
  // In an Allow, a negated operator with an unresolved variable must not match.
  const neverMatches = negated && unresolved !== undefined && effect === "Allow";
  if (actual === undefined) {
    const matched = set === undefined ? ifExists || (negated && !neverMatches) : set === "ForAllValues";
    return { verdict: verdictOf(matched), note: unresolved ?? "the request does not have this key" };
  }
  if (set === undefined && actual.length > 1) {
    return { verdict: "not-matched", note: "the key has several values, which require ForAnyValue or ForAllValues" };
  }

  const matchValue = (value: string): Verdict => {
    const results = tests.map((test) => test(value)).map((is) => (is === undefined ? "unsupported" : verdictOf(is)));
    if (neverMatches) return "not-matched";
    return negated ? not(some(results)) : some(results);
  };
  // AWS treats a "null data set, such as an empty string" as no value.
  const present = set !== undefined && actual.every((value) => value === "") ? [] : actual;
  const verdict = (set === "ForAnyValue" ? some : every)(present.map(matchValue));
  const isOtherType = verdict === "unsupported" && unresolved === undefined;
  return { verdict, note: isOtherType ? "the value in the request has another type" : unresolved };
}
