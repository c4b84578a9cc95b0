import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import config from "../../config";

const root = join(__dirname, "..", "..");
const read = (folder: string) => parse(readFileSync(join(root, folder, ".circleci/config.yml"), "utf8"));
const own = read(".");
const environments = config.environments.map(({ name }) => name);

/** The jobs of a workflow by name, each with its parameters. */
function jobsOf(workflow: string) {
  const jobs: [string, Record<string, unknown>][] = own.workflows[workflow].jobs.map((job: string | object) => {
    const [name, given] = typeof job === "string" ? [job, {}] : (Object.entries(job)[0] ?? []);
    return [given.name ?? name, { ...given, job: name }];
  });
  return new Map(jobs);
}

describe("this repository's pipeline", () => {
  test.each(["pull-request", "main", "drift"])("plans every environment of config.ts in workflow %s", (workflow) => {
    const planned = [...jobsOf(workflow).values()].filter(({ job }) => job === "plan");
    expect(planned.map(({ environment }) => environment)).toEqual(environments);
  });

  test("deploys the environments of config.ts in order, each after its own approval", () => {
    const jobs = jobsOf("main");
    const deployed = [...jobs.values()].filter(({ job }) => job === "deploy").map(({ environment }) => environment);
    expect(deployed).toEqual(environments);
    environments.forEach((name, index) => {
      const before = index === 0 ? ["test", "review"] : [`deploy-${environments[index - 1]}`];
      expect(jobs.get(`approve-${name}`)).toMatchObject({ type: "approval", requires: before });
      expect(jobs.get(`deploy-${name}`)).toMatchObject({
        requires: [`approve-${name}`],
        "serial-group": `<< pipeline.project.slug >>/deploy-${name}`,
      });
    });
  });

  test("reviews every environment in one comment, from the plans of the workflow", () => {
    const plans = environments.map((name) => `--plan-json ${name}=plans/${name}.json`).join(" ");
    const commands: string[] = own.jobs.review.steps.flatMap(({ run }: { run?: string }) => run ?? []);
    expect(commands).toHaveLength(2);
    for (const command of commands) expect(command).toContain(`review ${environments.join(" ")} ${plans} `);
    expect(jobsOf("pull-request").get("review")).toMatchObject({
      options: "--comment",
      requires: environments.map((name) => `plan-${name}`),
    });
  });

  test.each([
    ["plan", "circleci-access-plan"],
    ["deploy", "circleci-access-apply"],
  ])("job %s assumes a role that every environment has and administrators deploy", (job, role) => {
    const [step] = own.jobs[job].steps.flatMap((each: { plan?: { role: string } }) => each.plan ?? []);
    expect(step.role).toBe(role);
    for (const { roles } of config.environments) {
      expect(roles.find(({ name }) => name === role)).toMatchObject({ deployedBy: "administrator" });
    }
  });
});

test("the examples have the same credentials step", () => {
  const [site, terraform] = ["static-site", "terraform"].map((example) => read(`examples/${example}`));
  expect(terraform.commands["aws-credentials"]).toEqual(site.commands["aws-credentials"]);
});

describe.each([".", "examples/static-site", "examples/terraform"])("%s", (folder) => {
  const text = readFileSync(join(root, folder, ".circleci/config.yml"), "utf8");

  test("has filters and conditions as expressions, not as deprecated maps", () => {
    const conditions: unknown[] = [];
    JSON.parse(JSON.stringify(parse(text).workflows), (key, value) => {
      if (key === "filters" || (key === "when" && value !== "always")) conditions.push(value);
      return value;
    });
    for (const condition of conditions) expect(typeof condition).toBe("string");
  });

  test("uses only jobs and commands that it defines", () => {
    const { commands = {}, jobs, workflows } = parse(text);
    const builtIn = ["run", "checkout", "store_artifacts", "persist_to_workspace", "attach_workspace"];
    const named = (step: string | object) => (typeof step === "string" ? step : String(Object.keys(step)[0]));
    const all: { steps: (string | object)[] }[] = [...Object.values<never>(commands), ...Object.values<never>(jobs)];
    const steps = all.flatMap((each) => each.steps.map(named));
    expect([...builtIn, ...Object.keys(commands)]).toEqual(expect.arrayContaining(steps));
    const invoked = Object.values<{ jobs: (string | Record<string, { type?: string }>)[] }>(workflows).flatMap((each) =>
      each.jobs.flatMap((job) => (typeof job === "object" && Object.values(job)[0]?.type ? [] : named(job))),
    );
    expect(Object.keys(jobs)).toEqual(expect.arrayContaining(invoked));
  });
});
