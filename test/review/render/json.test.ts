import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { toEnvelope } from "../../../keyless/cli/lib/files";
import { readPlan } from "../../../keyless/plan/schema";
import { FINDING_KINDS } from "../../../keyless/review/delta/finding";
import { skippedToJsonData, toJsonData } from "../../../keyless/review/render/json";
import { COUNTED, review } from "../../../keyless/review/review";
import { change, plan } from "../plans";

const read = (...path: string[]) => JSON.parse(readFileSync(join(__dirname, "..", ...path), "utf8"));
const schema = read("..", "..", "docs", "review.schema.json");
const golden = readdirSync(join(__dirname, "..", "golden"), { withFileTypes: true }).filter((each) =>
  each.isDirectory(),
);

const isValid = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

/** The output of `keyless review --json`. */
const output = (data: object) => JSON.parse(toEnvelope("review", data));
const reviewed = golden.map(({ name }): [string, unknown] => [
  `the golden plan ${name}`,
  output(toJsonData(review([readPlan("dev", read("golden", name, "plan.json"))]))),
]);
const incomplete = plan([], {
  errored: true,
  complete: false,
  deferred_changes: [{ reason: "provider_config_unknown", resource_change: change("a.b", null, {}) }],
});
const outputs: [string, unknown][] = [
  ...reviewed,
  ["an incomplete plan", output(toJsonData(review([incomplete])))],
  ["skipped environments", output(skippedToJsonData(["dev", "prod"], "the pull request comes from a fork"))],
];

test.each(outputs)("the JSON of %s matches the schema", (_, json) => {
  isValid(json);
  expect(isValid.errors ?? []).toEqual([]);
});

test("the schema lists every kind of finding, and every count", () => {
  expect(schema.$defs.finding.properties.kind.enum).toEqual(Object.keys(FINDING_KINDS));
  expect(schema.$defs.environment.properties.counts.required).toEqual([...COUNTED]);
});

type Json = { [name: string]: Json };

/** Every copy of a value in which one property of one object is removed, is replaced by a value of another type, or is new. */
function* mutations(value: unknown): Generator<readonly [name: string, mutated: unknown]> {
  if (typeof value !== "object" || value === null) return;
  const fields = value as Json;
  const isList = Array.isArray(value);
  for (const [name, field] of Object.entries(fields)) {
    const copy = (replaced: unknown) =>
      isList ? value.map((item, at) => (String(at) === name ? replaced : item)) : { ...fields, [name]: replaced };
    yield [`${name} replaced`, copy(typeof field === "string" ? 7 : "?")];
    for (const [path, mutated] of mutations(field)) yield [`${name}/${path}`, copy(mutated)];
    if (isList) continue;
    const { [name]: _, ...rest } = fields;
    yield [`${name} removed`, rest];
  }
  if (!isList) yield ["additional", { ...fields, additional: 1 }];
}

const OPTIONAL = /\/(tokens|resources|consequence|previousAddress|importId|reason) removed$/;

test.each(outputs)("the schema rejects every mutation of the JSON of %s", (_, json) => {
  const accepted = [...mutations(json)].filter(([, mutated]) => isValid(mutated));
  expect(accepted.map(([name]) => name).filter((name) => !OPTIONAL.test(name))).toEqual([]);
});
