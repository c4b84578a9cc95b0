import fc from "fast-check";
import { sessionName } from "../../keyless/pipeline/session-name";

const PIPELINE = "00000000-0000-4000-8000-000000000004";

test("a session name tells the project, the job and the pipeline", () => {
  expect(sessionName({ project: "site", job: "deploy-prod", pipeline: PIPELINE })).toBe(`site.deploy-prod.${PIPELINE}`);
});

test("what AWS does not take in a session name becomes a hyphen", () => {
  expect(sessionName({ project: "büro", job: "deploy (prod)", pipeline: "4" })).toBe("b-ro.deploy-prod-.4");
});

test("where the names are too long the longer one is cut, and the pipeline's id stays whole", () => {
  expect(sessionName({ project: "s".repeat(50), job: "deploy", pipeline: PIPELINE })).toBe(
    `${"s".repeat(20)}.deploy.${PIPELINE}`,
  );
  expect(sessionName({ project: "site", job: "j".repeat(50), pipeline: PIPELINE })).toBe(
    `site.${"j".repeat(22)}.${PIPELINE}`,
  );
});

test("every session name is one that AWS takes", () => {
  const part = fc.option(fc.string({ unit: "binary", maxLength: 80 }), { nil: undefined });
  fc.assert(
    fc.property(part, part, part, (project, job, pipeline) => {
      expect(sessionName({ project, job, pipeline })).toMatch(/^[\w+=,.@-]{2,64}$/);
    }),
  );
});
