import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "yaml";
import config from "../../config";
import type { Environment } from "../../keyless/config/resolved";
import { pipelineRole } from "../../keyless/pipeline/administrator";
import { pinnedTerraform, terraformChecksums } from "../../keyless/terraform/version";
import { holds } from "../e2e/circleci-runner";
import example from "../example/config";

const root = join(__dirname, "..", "..");
const read = (folder: string) => parse(readFileSync(join(root, folder, ".circleci/config.yml"), "utf8"));
const own = read(".");

type Job = { readonly job: string; readonly name: string } & { readonly [parameter: string]: unknown };

/** The jobs of a workflow, each with its parameters. */
function jobsOf({ workflows }: ReturnType<typeof read>, workflow: string): Job[] {
  return workflows[workflow].jobs.map((job: string | object) => {
    const [name, given] = typeof job === "string" ? [job, {}] : (Object.entries(job)[0] ?? []);
    return { name, ...given, job: name };
  });
}

/** The jobs that a workflow must have for the environments, in this order. */
function expectedJobs(workflow: string, environments: readonly string[]): Job[] {
  const all = environments.join(" ");
  if (workflow === "fork") return [{ job: "fork", name: "fork", environments: all }];
  const plans = environments.map((environment) => ({ job: "plan", name: `plan-${environment}`, environment }));
  const review = { job: "review", name: "review", environments: all, requires: plans.map(({ name }) => name) };
  if (workflow === "pull-request") return [...plans, { ...review, options: "--comment" }];
  if (workflow === "drift") return [...plans, review];
  const deployments = environments.flatMap((environment, index) => {
    const approval = `approve-${environment}`;
    const before = index === 0 ? "review" : `deploy-${environments[index - 1]}`;
    return [
      { job: approval, name: approval, type: "approval", requires: [before] },
      {
        job: "deploy",
        name: `deploy-${environment}`,
        environment,
        context: `circleci-access-${environment}`,
        "serial-group": `<< pipeline.project.slug >>/deploy-${environment}`,
        requires: [approval],
      },
    ];
  });
  return [...plans, review, ...deployments];
}

/** How to change a workflow so that it has the expected jobs; jobs of other kinds, such as `test`, may be anywhere. */
function edits(pipeline: ReturnType<typeof read>, workflow: string, environments: readonly string[]): string[] {
  const expected = expectedJobs(workflow, environments);
  const kinds = new Set(["plan", "review", "deploy", "fork", undefined]);
  const found = jobsOf(pipeline, workflow).filter(({ job, type }) => kinds.has(type === "approval" ? undefined : job));
  const isComplete = (job: Job, given: Job) =>
    // A context may have any name.
    Object.entries(job).every(([key, value]) => key === "context" || isDeepStrictEqual(given[key], value));
  const wrong = expected.filter((job) => !found.some((given) => isComplete(job, given)));
  const removed = found.filter(({ name }) => !expected.some((job) => job.name === name));
  const at = `workflow ${workflow} of .circleci/config.yml:`;
  const changes = [
    ...wrong.map(({ job, name, ...given }) => {
      const parameters = stringify(
        { ...(name !== job && { name }), ...given },
        { collectionStyle: "flow", lineWidth: 0 },
      );
      return `${at} needs - ${job}: ${parameters.trim()}`;
    }),
    ...removed.map(({ name }) => `${at} remove ${name}, which is for no environment of config.ts`),
  ];
  const order = expected.map(({ name }) => name);
  const isOrdered = isDeepStrictEqual(
    order,
    found.map(({ name }) => name),
  );
  return changes.length > 0 || isOrdered ? changes : [`${at} order the jobs as config.ts does: ${order.join(", ")}`];
}

const WORKFLOWS = ["pull-request", "fork", "main", "drift"];

describe("this repository's pipeline", () => {
  // An environment without these roles is deployed by administrators alone.
  const isRun = ({ roles }: Environment) =>
    roles.some(({ policyBuilders }) => Object.values(policyBuilders).includes("planEnvironment"));
  const environments = config.environments.filter(isRun);

  test.each(WORKFLOWS)("has the jobs of every environment of config.ts in workflow %s, in order", (workflow) => {
    expect(
      edits(
        own,
        workflow,
        environments.map(({ name }) => name),
      ),
    ).toEqual([]);
  });

  test("finds the roles that plan and apply every environment", () => {
    for (const environment of environments)
      for (const task of ["plan", "apply"] as const) expect(() => pipelineRole(environment, task)).not.toThrow();
  });

  test("no test runs on main", () => {
    for (const workflow of ["main", "drift"]) {
      const jobs = jobsOf(own, workflow).filter(({ type }) => type !== "approval");
      expect(["plan", "review", "deploy"]).toEqual(expect.arrayContaining(jobs.map(({ job }) => job)));
    }
  });

  test.each([
    ["plan", "plan"],
    ["deploy", "apply"],
  ])("job %s assumes the role that can %s the environment", (job, role) => {
    const steps = own.jobs[job].steps.flatMap((each: { plan?: object }) => each.plan ?? []);
    expect(steps).toEqual([{ environment: "<< parameters.environment >>", role }]);
  });
});

describe("the pipeline of the example", () => {
  const pipeline = parse(readFileSync(join(root, "test/example/workflows.yml"), "utf8"));

  test.each(WORKFLOWS)("has the jobs of its environments in workflow %s", (workflow) => {
    expect(edits(pipeline, workflow, ["dev", "prod"])).toEqual([]);
  });

  test("assumes roles that administrators deploy", () => {
    for (const environment of example.environments)
      for (const task of ["plan", "apply"] as const)
        expect(pipelineRole(environment, task)).toMatchObject({ deployedBy: "administrator" });
  });

  test("another environment, a removed one, and another order are reported with the lines to edit", () => {
    const at = "workflow drift of .circleci/config.yml:";
    expect(edits(pipeline, "drift", ["dev", "qa", "prod"])).toEqual([
      `${at} needs - plan: { name: plan-qa, environment: qa }`,
      `${at} needs - review: { environments: dev qa prod, requires: [ plan-dev, plan-qa, plan-prod ] }`,
    ]);
    expect(edits(pipeline, "drift", ["dev"])).toEqual([
      `${at} needs - review: { environments: dev, requires: [ plan-dev ] }`,
      `${at} remove plan-prod, which is for no environment of config.ts`,
    ]);
    expect(edits(pipeline, "main", ["prod", "dev"])).toContainEqual(
      "workflow main of .circleci/config.yml: needs - approve-prod: { type: approval, requires: [ review ] }",
    );
    const swapped = { workflows: { drift: { jobs: pipeline.workflows.drift.jobs.slice().reverse() } } };
    expect(edits(swapped, "drift", ["dev", "prod"])).toEqual([
      `${at} order the jobs as config.ts does: plan-dev, plan-prod, review`,
    ]);
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
  const deploys = Object.keys(own.workflows).filter((name) => jobsOf(own, name).some(({ job }) => job === "deploy"));
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

test("a job removes committed folders of plans, stacks and programs before it installs or runs anything", () => {
  const [checkout, remove] = own.commands.project.steps;
  expect([checkout, remove]).toEqual(["checkout", { run: "rm -rf cdktf.out .keyless plans" }]);
  for (const { steps } of Object.values<{ steps: unknown[] }>(own.jobs)) expect(steps[0]).toBe("project");
});

test("the example of a Terraform repository installs Terraform by its checksum", () => {
  const steps: { run?: { environment?: object; command?: string } }[] =
    read("examples/terraform").commands.terraform.steps;
  const downloads = steps.flatMap(({ run }) => (run?.command?.includes("curl") ? run : []));
  expect(downloads).toHaveLength(1);
  expect(downloads[0]?.environment).toEqual({ VERSION: pinnedTerraform, SHA256: terraformChecksums.linux_amd64 });
  expect(downloads[0]?.command).toMatch(
    /curl .* -o terraform\.zip .*\n *echo "\$SHA256 {2}terraform\.zip" \| sha256sum --check\n/,
  );
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
