import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readPlan } from "../../../keyless/plan/schema";
import { toJsonData } from "../../../keyless/review/render/json";
import { skippedToMarkdown, toMarkdown } from "../../../keyless/review/render/markdown";
import { toText } from "../../../keyless/review/render/text";
import { review } from "../../../keyless/review/review";
import { growth } from "../../growth";
import { ANY, change, onBranch, plan, planJson, policy, role, statement } from "../plans";

const golden = join(__dirname, "..", "golden");

/**
 * Each folder has the Terraform configuration of a plan, and the plan that `test/review/golden-plans.ts` made from it.
 * `derived.json` lists the policies of the pipeline. UPDATE_GOLDEN=1 renders the plans and rewrites the expected reviews.
 */
const cases = readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe.each(cases.map(({ name }) => name))("the golden plan %s", (name) => {
  const folder = join(golden, name);
  const plan = readPlan("dev", JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")));
  const derived = join(folder, "derived.json");
  const result = review([plan], {
    administratorRoles: { dev: ["circleci-apply"] },
    ...(existsSync(derived) && { derivedPolicies: { dev: JSON.parse(readFileSync(derived, "utf8")) } }),
  });
  test.each([
    ["md", toMarkdown(result)],
    ["txt", toText(result)],
    ["json", `${JSON.stringify(toJsonData(result), null, 2)}\n`],
  ])("is rendered as %s", (extension, rendered) => {
    const expected = join(folder, `review.${extension}`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(expected, rendered);
    expect(rendered).toBe(readFileSync(expected, "utf8"));
  });
});

test("a plan without changes is one line", () => {
  const same = role("deploy", policy(statement(ANY)));
  const result = review([
    readPlan("dev", planJson([change("aws_iam_role.r", same, same)])),
    readPlan("prod", planJson([])),
  ]);
  expect(toMarkdown(result)).toBe("**No changes in `dev`, `prod`.**\n");
  expect(toText(result)).toBe("No changes in dev, prod.\n");
});

describe("everything from the plan is code", () => {
  /** The part of a Markdown text that GitHub interprets: without fenced blocks, code spans and HTML code. */
  function interpreted(markdown: string): string {
    return markdown
      .replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, "")
      .replace(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, "")
      .replace(/<code>[^<]*<\/code>/g, "");
  }

  const special = fc
    .array(
      fc.constantFrom(
        "@mallory",
        "#12",
        "`",
        "``",
        "```",
        "|",
        "<img>",
        "](http://evil)",
        "**",
        "\n",
        "</details>",
        "\u202e",
        " ",
        "\\",
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    .map((parts) => parts.join(""));

  test("no mention, link, HTML or issue of a plan is outside code", () => {
    const expected = interpreted(toMarkdown(review([sample("x", "y")])));
    fc.assert(
      fc.property(special, special, (key, value) => {
        const rest = interpreted(toMarkdown(review([sample(key, value)])));
        for (const mark of ["mallory", "#12", "<img", "evil", "\u202e"]) expect(rest).not.toContain(mark);
        expect(rest.match(/<\/?details>/g)).toEqual(expected.match(/<\/?details>/g));
      }),
    );
  });

  function sample(key: string, value: string) {
    const index = JSON.stringify(key);
    const attributes = role(value, policy(statement(value)), { tags: { [key]: value } });
    return plan(
      [
        change(`aws_iam_role.r[${index}]`, null, attributes, {
          action_reason: value,
          previous_address: `a.b[${index}]`,
        }),
        change("aws_iam_role_policy.p", null, {
          role: value,
          name: key,
          policy: policy({ Effect: "Allow", Action: value, Resource: key }),
        }),
      ],
      {
        output_changes: { [key]: change("a.b", null, value).change },
        checks: [{ address: { to_display: key }, status: "fail", instances: [{ problems: [{ message: value }] }] }],
        deferred_changes: [{ reason: value, resource_change: change("a.b", null, {}) }],
      },
    );
  }

  test("the text for a terminal contains no control character of a plan", () => {
    const text = toText(review([sample("\u001b[2J", "\u001b]0;x\u0007\r\n")]));
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});

describe("a comment that is too long", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) =>
      change(`aws_sqs_queue.q["${at}"]`, null, { name: `queue-${at}`, policy: null, tags: { text: "x".repeat(200) } }),
    );
  const gain = change(
    "aws_iam_role.r",
    role("deploy", policy(statement(onBranch("main")))),
    role("deploy", policy(statement(ANY))),
  );

  test.each([10, 200, 1_000, 5_000])(
    "with %d resources fits the limit, contains the gains, and links the complete review if it is truncated",
    (count) => {
      const result = review([plan([...many(count), gain])]);
      const text = toMarkdown(result, { limit: 65_536, artifactUrl: "https://ci.example.com/job/1" });
      expect(text.length).toBeLessThanOrEqual(65_536);
      expect(text).toContain("**Access is granted (1 trust broadened)");
      expect(text).toContain("🔺 trust broadened");
      expect(text.includes("[the complete review](https://ci.example.com/job/1)")).toBe(
        toMarkdown(result).length > 65_536,
      );
      expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    },
  );

  test("loses attributes before resources", () => {
    const text = toMarkdown(review([plan(many(300))]), { limit: 60_000 });
    expect(text.match(/<b>create<\/b>/g)).toHaveLength(300);
    expect(text.length).toBeGreaterThan(50_000);
  });

  test("keeps the verdict if only roles are left", () => {
    const roles = Array.from({ length: 1_000 }, (_, at) =>
      change(`aws_iam_role.r[${at}]`, null, role(`r${at}`, policy(statement(ANY)))),
    );
    const text = toMarkdown(review([plan(roles)]), { limit: 65_536 });
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text).toMatch(/^\*\*Access is granted \(1,000 newly trusted\)/);
    expect(text).toMatch(/… and \d+ more/);
  });
});

describe("a cut", () => {
  const artifactUrl = "https://ci.example.com/job/1";
  const grants = (action: string) => policy({ Effect: "Allow", Action: action, Resource: "*" });
  const loss = (at: number) =>
    change(`aws_iam_role_policy.l${at}`, { role: `l${at}`, name: "p", policy: grants(`s3:Lose${at}`) }, null);
  const gain = (at: number) =>
    change(`aws_iam_role_policy.g${at}`, null, { role: `g${at}`, name: "p", policy: grants(`s3:Gain${at}`) });
  const environment = (name: string, changes: readonly unknown[], more = {}) => readPlan(name, planJson(changes, more));
  const times = <T>(number: number, each: (at: number) => T) => Array.from({ length: number }, (_, at) => each(at));

  test("keeps the gains of 500 environments and drops their folds and losses first", () => {
    const result = review(times(500, (at) => environment(`env-${at}`, [gain(at), loss(at)])));
    const text = toMarkdown(result, { limit: 65_536, artifactUrl });
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text).toMatch(/^\*\*Access is granted \(500 permissions granted\)/);
    expect(text).toContain("| 500 environments | **500** |");
    expect(text.match(/🔺/g)).toHaveLength(500);
    expect(text).not.toContain("<details>");
    expect(text.match(/🔻/g)?.length ?? 0).toBeLessThan(500);
    expect(text).toMatch(/… and \d+ more/);
    expect(text).toContain(`[the complete review](${artifactUrl})`);
  });

  test("keeps the notices and administrator-like gains", () => {
    const changes = [
      ...times(2_000, gain),
      change("aws_iam_role_policy.z", null, { role: "z", name: "p", policy: grants("*") }),
    ];
    const text = toMarkdown(review([environment("dev", changes, { errored: true })]), { limit: 16_000 });
    expect(text.length).toBeLessThanOrEqual(16_000);
    expect(text).toContain("2,001 permissions granted");
    expect(text).toContain("> ⚠️ Terraform failed while planning `dev`");
    expect(text).toContain("permission granted, administrator-like");
  });

  test.each([
    ["letters", "x"],
    ["backquotes", "`"],
    ["control characters", "\u0001"],
    ["surrogate pairs", "😀"],
  ])("is within a finding that is longer than the limit and consists of %s", (_, character) => {
    const long = change("aws_iam_role_policy.g", null, {
      role: "g",
      name: character.repeat(70_000),
      policy: grants("s3:Get"),
    });
    const text = toMarkdown(review([environment("dev", [long])]), { limit: 65_536, artifactUrl });
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text).toMatch(/^- 🔺 permission granted: .*…$/m);
    expect(text).toContain(`[the complete review](${artifactUrl})`);
    expect(Buffer.from(text).toString()).toBe(text);
  });

  test("is within a subject, a headline and a reason that are longer than the limit", () => {
    const long = change("aws_iam_role_policy.g", null, {
      role: "r".repeat(70_000),
      name: "p",
      policy: grants("s3:Get"),
    });
    const names = times(2_000, (at) => `environment-${at}`.padEnd(60, "x"));
    for (const text of [
      toMarkdown(review([environment("dev", [long])]), { limit: 16_000 }),
      toMarkdown(review(names.map((name) => environment(name, []))), { limit: 16_000 }),
      skippedToMarkdown(["dev"], "reason ".repeat(20_000), { limit: 16_000 }),
    ]) {
      expect(text.length).toBeLessThanOrEqual(16_000);
      expect(text).toContain("…");
    }
  });
});

test("reviews many changes in linear time", () => {
  const subjects = Array.from({ length: 3 }, (_, at) => onBranch(`b${at}`));
  const jsonOf = (count: number) =>
    JSON.stringify(
      planJson(
        Array.from({ length: count }, (_, at) =>
          change(
            `aws_iam_role.r[${at}]`,
            role(`r${at}`, policy(statement(subjects))),
            role(`r${at}`, policy(statement([...subjects, ANY]))),
          ),
        ),
      ),
    );
  const [small, large] = [jsonOf(100), jsonOf(800)];
  const render = (count: number) =>
    toMarkdown(review([readPlan("dev", JSON.parse(count === 100 ? small : large))]), { limit: 65_536 });
  expect(growth(render, 100)).toBeLessThan(25);
});

test("reports that a plan is incomplete", () => {
  const text = toMarkdown(review([plan([], { errored: true, complete: false })]));
  expect(text).toContain("as far as planned");
  expect(text).toContain("Terraform failed while planning `dev`");
});

test("reports a change of a role that the pipeline cannot change", () => {
  const changes = [change("aws_iam_role.r", role("apply", policy(statement(ANY))), null)];
  const result = review([plan(changes)], { administratorRoles: { dev: ["apply", "other"] } });
  expect(toMarkdown(result)).toContain(
    "> ⚠️ `dev`: role `apply` is managed by administrators; the pipeline cannot deploy this change",
  );
});
