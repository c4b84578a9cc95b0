import { type Context, resolveVariables } from "./context";
import { type ConditionResult, every, not, shown, some, type Verdict, verdictOf } from "./decision";
import { matchesCidr, parseCidr } from "./ip";
import { matches, matchesArn, type Pattern, patternText } from "./pattern";

/** What a condition is evaluated in. */
export interface Scope {
  readonly context: Context;
  /** An unresolved variable or an unknown key must never help an Allow, and never stop a Deny. */
  readonly effect: "Allow" | "Deny";
  /** Only version 2012-10-17 of the language has policy variables. */
  readonly variables: boolean;
  readonly unknownKey: (key: string) => string | undefined;
}

/** Compares a request's value with one value of the policy; undefined when the request's value cannot be compared. */
type Test = (actual: string) => boolean | undefined;

/** Turns a policy's value into a test; undefined when the value cannot be read. */
type Comparison =
  | { readonly takes: "pattern"; readonly test: (wanted: Pattern) => Test | undefined }
  | { readonly takes: "text"; readonly test: (wanted: string) => Test | undefined };

interface Operator {
  readonly comparison: Comparison;
  readonly negated: boolean;
}

const exactly: Comparison = {
  takes: "pattern",
  test: (wanted) => {
    const text = patternText(wanted);
    return (actual) => actual === text;
  },
};
const ignoringCase: Comparison = {
  takes: "pattern",
  test: (wanted) => {
    const text = patternText(wanted).toLowerCase();
    return (actual) => actual.toLowerCase() === text;
  },
};
const like: Comparison = { takes: "pattern", test: (wanted) => (actual) => matches(wanted, actual) };
const arnLike: Comparison = {
  takes: "pattern",
  test: (wanted) => (isArn(patternText(wanted)) ? (actual) => matchesArn(wanted, actual) : undefined),
};
const bool = parsed(parseBool, (actual, wanted) => actual === wanted);
const binary = parsed(parseBase64, (actual, wanted) => actual === wanted);
const ipAddress: Comparison = {
  takes: "text",
  test: (wanted) => {
    const range = parseCidr(wanted);
    return range && ((actual) => matchesCidr(range, actual));
  },
};

type Order = (actual: number, wanted: number) => boolean;
const orders: { readonly [suffix: string]: { readonly order: Order; readonly negated?: true } } = {
  Equals: { order: (actual, wanted) => actual === wanted },
  NotEquals: { order: (actual, wanted) => actual === wanted, negated: true },
  LessThan: { order: (actual, wanted) => actual < wanted },
  LessThanEquals: { order: (actual, wanted) => actual <= wanted },
  GreaterThan: { order: (actual, wanted) => actual > wanted },
  GreaterThanEquals: { order: (actual, wanted) => actual >= wanted },
};

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const operators: ReadonlyMap<string, Operator> = new Map([
  ...pair("StringEquals", "StringNotEquals", exactly),
  ...pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", ignoringCase),
  ...pair("StringLike", "StringNotLike", like),
  // AWS: ArnEquals and ArnLike "behave identically", wildcards included.
  ...pair("ArnEquals", "ArnNotEquals", arnLike),
  ...pair("ArnLike", "ArnNotLike", arnLike),
  ...pair("IpAddress", "NotIpAddress", ipAddress),
  ["Bool", { comparison: bool, negated: false }],
  ["BinaryEquals", { comparison: binary, negated: false }],
  ...Object.entries(orders).flatMap(([suffix, { order, negated = false }]): [string, Operator][] => [
    [`Numeric${suffix}`, { comparison: parsed(parseNumber, order), negated }],
    [`Date${suffix}`, { comparison: parsed(parseDate, order), negated }],
  ]),
]);

/** Whether AWS has a condition operator of this name, `ForAllValues:`, `ForAnyValue:` and `…IfExists` included. */
export function isConditionOperator(name: string): boolean {
  return name === "Null" || readOperator(name) !== undefined;
}

function pair(positive: string, negative: string, comparison: Comparison): [string, Operator][] {
  return [
    [positive, { comparison, negated: false }],
    [negative, { comparison, negated: true }],
  ];
}

/** A comparison of values that both sides have to be read as first. */
function parsed<T>(parse: (text: string) => T | undefined, compare: (actual: T, wanted: T) => boolean): Comparison {
  return {
    takes: "text",
    test: (text) => {
      const wanted = parse(text);
      if (wanted === undefined) return undefined;
      return (value) => {
        const actual = parse(value);
        return actual === undefined ? undefined : compare(actual, wanted);
      };
    },
  };
}

function isArn(text: string): boolean {
  return text.split(":").length >= 6;
}

function parseBool(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** More digits than a JavaScript number keeps exactly are not compared at all rather than nearly. */
function parseNumber(text: string): number | undefined {
  if (!/^[+-]?\d+(\.\d+)?$/.test(text) || text.replace(/\D/g, "").length > 15) return undefined;
  return Number(text);
}

/** The ISO 8601 dates of https://www.w3.org/TR/NOTE-datetime, or seconds since 1970; in milliseconds since 1970. */
function parseDate(text: string): number | undefined {
  if (/^-?\d{5,12}$/.test(text)) return Number(text) * 1000;
  const date = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/.exec(text);
  if (date === null) return undefined;
  const [, year, month = "01", day = "01"] = date;
  const midnight = new Date(`${year}-${month}-${day}`);
  // JavaScript takes 30 February for 1 March.
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** In one spelling, so that equal bytes are equal texts. */
function parseBase64(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  return Buffer.from(text, "base64").toString("base64");
}

/**
 * Evaluates one operator on one key.
 *
 * An absent key makes a positive operator false and a negated one true, `…IfExists` and `ForAllValues:` true and
 * `ForAnyValue:` false, as AWS documents it. A key that AWS does not have for the issuer is absent in every request; on
 * top of that it never matches in an Allow, whatever the operator, since the condition cannot mean what its author
 * thinks. In a Deny it stays merely absent: were it never to match there, a Deny that AWS applies would be lost.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function evaluateCondition(operator: string, key: string, values: unknown, scope: Scope): ConditionResult {
  const list: readonly unknown[] = Array.isArray(values) ? values : [values];
  const wanted = list.map(shown);
  const actual = scope.context.get(key.toLowerCase());
  return { operator, key, wanted, actual, ...outcome() };

  function outcome(): Outcome {
    if (list.length === 0 || !list.every(isConditionValue)) return unsupported("its values are not strings");
    const unknown = scope.unknownKey(key);
    if (unknown !== undefined && scope.effect === "Allow") return { verdict: "not-matched", note: unknown };
    const { verdict, note } = operator === "Null" ? isNull(wanted, actual) : compare(operator, wanted, actual, scope);
    return { verdict, note: unknown ?? note };
  }
}

type Outcome = Pick<ConditionResult, "verdict" | "note">;

function unsupported(note: string): Outcome {
  return { verdict: "unsupported", note };
}

function isConditionValue(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function isNull(wanted: readonly string[], actual: readonly string[] | undefined): Outcome {
  const values = wanted.map(parseBool);
  if (values.includes(undefined)) return unsupported('Null takes "true" or "false"');
  return { verdict: verdictOf(values.includes(actual === undefined)) };
}

const operatorName = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/;

interface QualifiedOperator extends Operator {
  readonly set?: "ForAllValues" | "ForAnyValue";
  readonly ifExists: boolean;
}

function readOperator(name: string): QualifiedOperator | undefined {
  const [, set, base = "", ifExists] = operatorName.exec(name) ?? [];
  const operator = operators.get(base);
  return operator && { ...operator, set: set as QualifiedOperator["set"], ifExists: ifExists !== undefined };
}

function compare(
  name: string,
  wanted: readonly string[],
  actual: readonly string[] | undefined,
  scope: Scope,
): Outcome {
  const operator = readOperator(name);
  if (operator === undefined) return unsupported(`the operator "${name}" is not known`);
  const { set, ifExists } = operator;
  const tests = readTests(operator.comparison, wanted, scope);
  if (tests.malformed !== undefined) return unsupported(tests.malformed);

  const note = tests.unresolved;
  if (actual === undefined) {
    const isUnequal = operator.negated && (note === undefined || scope.effect === "Deny");
    const matched = ifExists || set === "ForAllValues" || (set === undefined && isUnequal);
    return { verdict: verdictOf(matched), note: note ?? "the request does not have this key" };
  }
  if (set === undefined && actual.length > 1)
    return unsupported("the key has several values: AWS wants ForAnyValue or ForAllValues");

  const one = (value: string) => compareOne(tests, operator.negated, value, scope);
  if (set === undefined) return { verdict: one(actual[0] ?? ""), note };
  // AWS: a "null data set, such as an empty string" counts as no value at all.
  const present = actual.every((value) => value === "") ? [] : actual;
  return { verdict: (set === "ForAllValues" ? every : some)(present.map(one)), note };
}

interface Tests {
  readonly tests: readonly Test[];
  readonly malformed?: string;
  /** Why one of the values stands for nothing: it has no test, since it matches nothing. */
  readonly unresolved?: string;
}

function readTests(comparison: Comparison, wanted: readonly string[], scope: Scope): Tests {
  const tests: Test[] = [];
  let unresolved: string | undefined;
  for (const value of wanted) {
    let test: Test | undefined;
    if (comparison.takes === "text") {
      test = comparison.test(value);
    } else {
      const resolved = resolveVariables(value, scope.variables ? scope.context : undefined);
      if (resolved.kind === "malformed") return { tests, malformed: resolved.note };
      if (resolved.kind === "unresolved") {
        unresolved = resolved.note;
        continue;
      }
      test = comparison.test(resolved.pattern);
    }
    if (test === undefined) return { tests, malformed: `the value "${value}" cannot be read` };
    tests.push(test);
  }
  return { tests, unresolved };
}

function compareOne({ tests, unresolved }: Tests, negated: boolean, value: string, scope: Scope): Verdict {
  const results = tests.map((test) => test(value));
  const verdict = some(results.map((result) => (result === undefined ? "unsupported" : verdictOf(result))));
  if (!negated) return verdict;
  // "Not equal to nothing" must not let anybody in.
  if (unresolved !== undefined && scope.effect === "Allow") return "not-matched";
  return not(verdict);
}
