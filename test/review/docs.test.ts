import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FINDING_KINDS } from "../../keyless/review/delta/finding";

const guide = readFileSync(join(__dirname, "../../docs/review.md"), "utf8");

test.each(["gain", "loss"])("docs/review.md lists every kind of finding with the effect %s", (effect) => {
  const row = guide.split("\n").find((line) => line.endsWith(`| \`${effect}\` |`)) ?? "";
  const listed = [...row.matchAll(/`([a-z]+-[a-z-]+)`/g)].map(([, kind]) => kind);
  const kinds = Object.entries(FINDING_KINDS).filter(([, kind]) => kind.effect === effect);
  expect(listed.sort()).toEqual(kinds.map(([kind]) => kind).sort());
});
