import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import config from "../../config";
import { holds } from "../e2e/circleci-runner";

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
      const before = index === 0 ? ["review"] : [`deploy-${environments[index - 1]}`];
      expect(jobs.get(`approve-${name}`)).toMatchObject({ type: "approval", requires: before });
      expect(jobs.get(`deploy-${name}`)).toMatchObject({
        requires: [`approve-${name}`],
        "serial-group": `<< pipeline.project.slug >>/deploy-${name}`,
      });
    });
  });

  test("no test runs on main", () => {
    for (const workflow of ["main", "drift"]) {
      const jobs = [...jobsOf(workflow).values()].filter(({ type }) => type !== "approval");
      expect(["plan", "review", "deploy"]).toEqual(expect.arrayContaining(jobs.map(({ job }) => job)));
    }
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

type PipelineValues = { readonly [value: string]: string };

/** Pipeline values of a trigger: of CircleCI cloud with and without the deprecated value, and of CircleCI server. */
const trigger = (type?: string, source?: string): PipelineValues => ({
  ...(type !== undefined && { "pipeline.trigger.type": type }),
  ...(source !== undefined && { "pipeline.trigger_source": source }),
});
const REPOSITORY_EVENTS = [
  trigger("github_app"),
  trigger("github_oauth"),
  trigger("github_server"),
  trigger("github_oauth", "webhook"),
  trigger("", "webhook"),
  trigger(undefined, "webhook"),
];
const SCHEDULES = [
  trigger("schedule"),
  trigger("schedule", "scheduled_pipeline"),
  trigger("", "scheduled_pipeline"),
  trigger(undefined, "scheduled_pipeline"),
];
const OTHERS = [
  ...[undefined, "", "api", "webhook", "github", "github_app_v2", "GITHUB_APP", "bitbucket_cloud", "unknown"].map(
    (type) => trigger(type),
  ),
  trigger(undefined, "api"),
  trigger(undefined, "unknown"),
  trigger("", ""),
  // A custom webhook; its deprecated value is the one of a push.
  trigger("webhook", "webhook"),
  trigger("unknown", "webhook"),
  trigger("unknown", "scheduled_pipeline"),
  trigger("api", "api"),
];
const branches = (main: string[], other: string[], fork: string[]) =>
  [
    ["main", main],
    ["feature", other],
    ["main2", other],
    ["refs/heads/main", other],
    ["Main", other],
    ["pull/7", fork],
    // A tag.
    ["", []],
    [undefined, []],
  ] as const;

describe.each([
  [".", branches(["main"], ["pull-request"], ["fork"]), branches(["drift"], [], ["fork"]), branches([], [], ["fork"])],
  ["examples/terraform", branches(["main"], ["branch"], ["branch"]), branches([], [], []), branches([], [], [])],
] as const)("workflows of %s", (folder, onEvent, onSchedule, onOther) => {
  const { workflows } = read(folder);
  const selected = (values: PipelineValues) =>
    Object.keys(workflows).filter((name) => holds(workflows[name].when, values));

  test.each([
    ["an event of the repository", REPOSITORY_EVENTS, onEvent],
    ["a schedule", SCHEDULES, onSchedule],
    ["the API, a custom webhook, an unknown or absent trigger", OTHERS, onOther],
  ] as const)("that %s selects", (_, triggers, expected) => {
    for (const [branch, names] of expected) {
      const at: PipelineValues = branch === undefined ? {} : { "pipeline.git.branch": branch };
      for (const values of triggers)
        expect([values, branch, selected({ ...values, ...at })]).toEqual([values, branch, names]);
    }
  });
});

test("the deploy workflow runs only for a push to main", () => {
  const deploys = Object.keys(own.workflows).filter((name) =>
    [...jobsOf(name).values()].some(({ job }) => job === "deploy"),
  );
  expect(deploys).toEqual(["main"]);
  const onMain = (values: PipelineValues) => ({ ...values, "pipeline.git.branch": "main" });
  const others = [...SCHEDULES, ...OTHERS].map(onMain);
  const branched = REPOSITORY_EVENTS.map((values) => ({ ...values, "pipeline.git.branch": "feature" }));
  const selects = (values: PipelineValues) => holds(own.workflows.main.when, values);
  expect([...others, ...branched, ...REPOSITORY_EVENTS].filter(selects)).toEqual([]);
  expect(REPOSITORY_EVENTS.map(onMain).filter(selects)).toEqual(REPOSITORY_EVENTS.map(onMain));
});

test("the static site is published only by an event of the repository on main", () => {
  const [publish] = read("examples/static-site").workflows.publish.jobs;
  const isPublished = (values: PipelineValues) => holds(publish.publish.filters, values);
  const main = { "pipeline.git.branch": "main" };
  expect(REPOSITORY_EVENTS.map((values) => isPublished({ ...values, ...main }))).not.toContain(false);
  expect([...SCHEDULES, ...OTHERS].map((values) => isPublished({ ...values, ...main }))).not.toContain(true);
  expect(REPOSITORY_EVENTS.map((values) => isPublished({ ...values, "pipeline.git.branch": "feature" }))).not.toContain(
    true,
  );
});

test("the examples have the same credentials step", () => {
  const [site, terraform] = ["static-site", "terraform"].map((example) => read(`examples/${example}`));
  expect(terraform.commands["aws-credentials"]).toEqual(site.commands["aws-credentials"]);
});

describe.each([".", "examples/static-site", "examples/terraform"])("%s", (folder) => {
  const text = readFileSync(join(root, folder, ".circleci/config.yml"), "utf8");

  test("a job installs packages without their scripts, and Python packages and providers by their checksums", () => {
    const flags: [RegExp, RegExp][] = [
      [/\bnpm (ci|install|i)\b/, /^(?=.*npm ci\b)(?=.* --ignore-scripts\b)/],
      [/\bpip3? install\b/, /^(?=.* --require-hashes\b)(?=.* --only-binary :all:)/],
      [/\bterraform init\b/, / -lockfile=readonly\b/],
    ];
    for (const [command, flag] of flags)
      for (const line of text.split("\n").filter((line) => command.test(line) && !/^ *#/.test(line)))
        expect(line).toMatch(flag);
  });

  test("a plan takes no lock", () => {
    for (const line of text.match(/\bterraform plan\b.*/g) ?? []) expect(line).toContain(" -lock=false");
  });

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
