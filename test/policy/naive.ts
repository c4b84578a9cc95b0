// A second implementation of policy evaluation, as simple as possible and without code of the engine, to compare the two.
import type { Statement } from "../../keyless/policy/document";
import type { NamedPolicy, Policies, Request } from "../../keyless/policy/evaluate";

const glob = (pattern: string, text: string, flags = "") =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\/]/g, "\\$&")
      .replace(/\*/g, ".*")
      .replace(/\?/g, ".")}$`,
    `s${flags}`,
  ).test(text);
const list = (value: unknown) => [value].flat() as string[];

function conditionHolds(
  operator: string,
  key: string,
  wanted: string[],
  context: Request["context"],
  effect: string,
): boolean {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase());
  const actual = found && list(found[1]);
  if (operator === "Null") return wanted.includes(String(actual === undefined));
  const forAll = operator.startsWith("ForAllValues:");
  const forAny = operator.startsWith("ForAnyValue:");
  const isNegated = operator.includes("Not");
  if (!actual) return operator.endsWith("IfExists") || forAll || (isNegated && !forAny);
  if (!forAll && !forAny && actual.length > 1) return effect === "Deny";
  const matchesOne = (value: string) => {
    const equal = wanted.some((want) => {
      if (operator.includes("IgnoreCase")) return want.toLowerCase() === value.toLowerCase();
      return operator.includes("Like") ? glob(want, value) : want === value;
    });
    return equal !== isNegated;
  };
  const present = (forAll || forAny) && actual.join("") === "" ? [] : actual;
  return forAny ? present.some(matchesOne) : present.every(matchesOne);
}

function applies(statement: Statement, { action, resource, context }: Request): boolean {
  const { Effect, Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  const among = (patterns: unknown, text: string, flags: string) =>
    list(patterns).some((pattern) => glob(pattern, text, flags));
  return (
    (Action ? among(Action, action, "i") : !among(NotAction, action, "i")) &&
    (Resource ? among(Resource, resource, "") : !among(NotResource, resource, "")) &&
    Object.entries(Condition).every(([operator, block]) =>
      Object.entries(block).every(([key, wanted]) => conditionHolds(operator, key, list(wanted), context, Effect)),
    )
  );
}

/** Whether identity policies, boundary and session policies allow a request. Supports String operators and Null only. */
export function naivelyAllowed({ identity = [], boundary, session }: Policies, request: Request): boolean {
  const layers = [identity, ...(boundary ? [[boundary]] : []), ...(session ? [session] : [])];
  const statementsOf = (layer: readonly NamedPolicy[]) =>
    layer.flatMap(({ document }) => document.Statement as Statement[]);
  const applying = (layer: readonly NamedPolicy[], effect: string) =>
    statementsOf(layer).some((statement) => statement.Effect === effect && applies(statement, request));
  return layers.every((layer) => applying(layer, "Allow")) && !layers.some((layer) => applying(layer, "Deny"));
}
