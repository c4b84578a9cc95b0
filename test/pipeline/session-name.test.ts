import fc from "fast-check";
import { sessionName } from "../../keyless/pipeline/session-name";

const PIPELINE = "00000000-0000-4000-8000-000000000004";

test("a session name consists of project, job and pipeline", () => {
  expect(sessionName({ project: "site", job: "deploy-prod", pipeline: PIPELINE })).toBe(`site.deploy-prod.${PIPELINE}`);
});

test("characters that AWS does not allow become a hyphen", () => {
  expect(sessionName({ project: "büro", job: "deploy (prod)", pipeline: "4" })).toBe("b-ro.deploy-prod-.4");
});

test("if the name is too long, the longer part is truncated, but not the pipeline's id", () => {
  expect(sessionName({ project: "s".repeat(50), job: "deploy", pipeline: PIPELINE })).toBe(
    `${"s".repeat(20)}.deploy.${PIPELINE}`,
  );
  expect(sessionName({ project: "site", job: "j".repeat(50), pipeline: PIPELINE })).toBe(
    `site.${"j".repeat(22)}.${PIPELINE}`,
  );
});

test("every session name has the form that AWS requires", () => {
  const part = fc.option(fc.string({ unit: "binary", maxLength: 80 }), { nil: undefined });
  fc.assert(
    fc.property(part, part, part, (project, job, pipeline) => {
      expect(sessionName({ project, job, pipeline })).toMatch(/^[\w+=,.@-]{2,64}$/);
    }),
  );
});
