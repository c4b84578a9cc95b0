import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../keyless/errors";
import { parseExactJson } from "../../keyless/json";
import { comparePlans } from "../../keyless/plan/comparison";
import { readPlan } from "../../keyless/plan/schema";
import { toJsonData } from "../../keyless/review/render/json";
import { toMarkdown } from "../../keyless/review/render/markdown";
import { toText } from "../../keyless/review/render/text";
import { review } from "../../keyless/review/review";
import { change, planJson } from "../review/plans";

const golden = join(__dirname, "..", "review", "golden");
const plans = readdirSync(golden, { withFileTypes: true })
  .filter((each) => each.isDirectory())
  .map(({ name }) => readFileSync(join(golden, name, "plan.json"), "utf8"));

/** Replaces, removes or repeats a part of a value, which the numbers select: one at each level. */
function mutate(
  value: unknown,
  path: readonly number[],
  edit: "replace" | "remove" | "repeat",
  other: unknown,
): unknown {
  if (typeof value !== "object" || value === null || path.length === 0) return other;
  const [first = 0, ...rest] = path;
  const entries = Object.entries(value);
  const index = entries.length === 0 ? 0 : first % entries.length;
  const [key, part] = entries[index] ?? ["added", null];
  const isHere = rest.length === 0 || typeof part !== "object" || part === null;
  const inner = isHere ? other : mutate(part, rest, edit, other);
  const changed: [string, unknown][] =
    isHere && edit === "remove"
      ? []
      : isHere && edit === "repeat"
        ? [
            [key, part],
            [`${key}2`, part],
          ]
        : [[key, inner]];
  entries.splice(index, 1, ...changed);
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

/** Reads, reviews and renders a plan. Returns the message of the error for the user, if there is one. */
function outcome(json: unknown): string | undefined {
  try {
    const result = review([readPlan("dev", json)]);
    for (const text of [toMarkdown(result), toText(result), JSON.stringify(toJsonData(result))])
      expect(text).not.toBe("");
    comparePlans("dev", json, json);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

test("a plan with any part replaced, removed or repeated is reviewed, or rejected with an error for the user", () => {
  const path = fc.array(fc.nat(50), { minLength: 1, maxLength: 9 });
  const edit = fc.constantFrom("replace", "remove", "repeat");
  const other = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(true, null, "", [], {}, "constructor", "__proto__", [[]], { Statement: [{}] }),
    fc.constantFrom('{"Statement": 1}', '{"Statement": [{"Effect": "Allow", "Action": 5, "Condition": {"a": []}}]}'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...plans), fc.array(fc.tuple(path, edit, other), { maxLength: 3 }), (text, edits) => {
      const json = edits.reduce<unknown>((value, [...edited]) => mutate(value, ...edited), parseExactJson(text));
      outcome(json);
    }),
  );
});

test("deeply nested values are reviewed", () => {
  const deep = (depth: number) => parseExactJson("[".repeat(depth) + "]".repeat(depth));
  const text = JSON.stringify("[".repeat(100_000));
  const attributes = { value: deep(900), json: "[".repeat(900) + "]".repeat(900), text };
  expect(outcome(planJson([change("null_resource.a", null, attributes)]))).toBeUndefined();
});

test("attributes with the names of properties of JavaScript objects are reviewed", () => {
  const attributes = parseExactJson('{"constructor": 1, "__proto__": {"a": 1}, "toString": null}');
  expect(
    outcome(
      planJson([
        change("null_resource.a", {}, attributes),
        change("null_resource.b", attributes, {}),
        change("aws_iam_role.c", null, { name: "c", permissions_boundary: attributes }),
      ]),
    ),
  ).toBe(undefined);
});
