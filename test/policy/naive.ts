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

/** How a value of the policy compares: `maybe` where AWS's documentation is ambiguous. */
type Match = "yes" | "no" | "maybe" | "malformed" | "no value";

function matchArn(pattern: string, { resource, context }: Request): Match {
  if (pattern === "*") return "yes";
  const [variable, key, otherwise] = /\$\{(\w+)(?:, '(.*)')?\}/.exec(pattern) ?? [];
  if (variable !== undefined) {
    const found = Object.entries(context).find(([name]) => name.toLowerCase() === key?.toLowerCase())?.[1];
    if (found === "" || (otherwise !== undefined && Array.isArray(found))) return "malformed";
    const value = typeof found === "string" ? found : otherwise;
    if (value === undefined) return "no value";
    return matchArn(pattern.replace(variable, value), { resource, context } as Request);
  }
  const parts = pattern.split(":");
  const regexp = (starAtEnd: string) =>
    parts
      .map((part, at) => {
        const isLast = at === 5;
        const [one, any] = isLast ? [".", ".*"] : ["[^:]", "[^:]*"];
        const escaped = part.replace(/[.+^${}()|[\]\\/]/g, "\\$&").replaceAll("?", one);
        return escaped.replace(/\*$/, isLast ? any : starAtEnd).replace(/(?<![.\]])\*/g, any);
      })
      .join(":");
  const short = parts.length < 6;
  const certain = new RegExp(`^${regexp("[^:]*")}${short ? ":.*" : ""}$`).test(resource);
  if (certain && (!short || pattern.endsWith("*"))) return "yes";
  return new RegExp(`^${regexp(".*")}${short ? "(:.*)?" : ""}$`).test(resource) ? "maybe" : "no";
}

function matchResources({ Effect, Resource, NotResource }: Statement, request: Request): boolean {
  const found = list(Resource ?? NotResource).map((pattern) => matchArn(pattern, request));
  if (found.includes("malformed")) return Effect === "Deny";
  const certain = found.includes("yes");
  const possible = certain || found.includes("maybe");
  if (Resource) return Effect === "Deny" ? possible : certain;
  return Effect === "Deny" ? !certain : !possible && !found.includes("no value");
}

function conditionHolds(
  operator: string,
  key: string,
  wanted: string[],
  context: Request["context"],
  effect: string,
): boolean {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase());
  const actual = found && list(found[1]);
  if (operator === "Null" && actual?.join("") === "" && wanted.length === 1) return effect === "Deny";
  if (operator === "Null") return wanted.includes(String(actual === undefined));
  const forAll = operator.startsWith("ForAllValues:");
  const forAny = operator.startsWith("ForAnyValue:");
  const isNegated = operator.includes("Not");
  if (!actual) return !forAny && (operator.endsWith("IfExists") || forAll || isNegated);
  if (!forAll && !forAny && actual.length > 1) return false;
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

function applies(statement: Statement, request: Request): boolean {
  const { action, context } = request;
  const { Effect, Action, NotAction, Condition = {} } = statement;
  const among = (patterns: unknown) => list(patterns).some((pattern) => glob(pattern, action, "i"));
  return (
    (Action ? among(Action) : !among(NotAction)) &&
    matchResources(statement, request) &&
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
