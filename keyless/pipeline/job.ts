import { type Document, parseDocument } from "yaml";
import type { Environment, Role } from "../config/resolved";
import type { PolicyDocument } from "../policy/document";
import { normalizePolicy } from "../policy/normal-form";
import type { TrustRule } from "../trust/circleci";

/** The static site that a role publishes, derived from its permissions. */
interface Site {
  /** For example `s3://www.example.com/docs`. */
  readonly url: string;
  /** The id of the CloudFront distribution. Absent: the role may not invalidate one. */
  readonly distribution?: string;
}

/**
 * A `.circleci/config.yml` for the repository that a role trusts, with one job that assumes the role. If the role can
 * publish a static site, the job publishes it. Otherwise it prints its identity.
 *
 * @param template the text of the example that publishes a static site
 */
export function jobConfig(template: string, environment: Environment, role: Role): string {
  const document = parseDocument(template.replace(/^(#.*\n)+/, ""));
  const site = siteOf(Object.values(role.inlinePolicies));
  const name = site === undefined ? role.name.replace(/[^\w-]/g, "-") : "publish";
  const repositories = role.trust.flatMap((rule) => ("repository" in rule ? rule.repository : []));
  document.commentBefore = [
    ` Assumes role ${role.name} of ${environment.name} without a stored key.`,
    ...(repositories.length > 0
      ? [` For ${[...new Set(repositories)].join(", ")}: the role trusts no other repository.`]
      : []),
  ].join("\n");
  document.setIn(["jobs"], document.createNode({ [name]: jobOf(document, environment, role, site) }));
  const filters = refFilter(role.trust);
  const invocation = filters === undefined ? name : { [name]: { filters } };
  document.setIn(["workflows"], document.createNode({ [name]: { jobs: [invocation] } }));
  return document.toString({ lineWidth: 0 });
}

function jobOf(template: Document, { region }: Environment, role: Role, site: Site | undefined) {
  const example = template.toJS().jobs.publish;
  const [checkout, , upload, ...invalidate] = example.steps;
  const credentials = { "aws-credentials": { role: role.arn, region } };
  if (site === undefined) {
    const identity = { run: { name: "Print the AWS identity of this job", command: "aws sts get-caller-identity" } };
    return { docker: example.docker, steps: [checkout, credentials, identity] };
  }
  const { url, distribution } = site;
  return {
    docker: example.docker,
    environment: { SITE: url, ...(distribution !== undefined && { DISTRIBUTION: distribution }) },
    steps: [checkout, credentials, upload, ...(distribution === undefined ? [] : invalidate)],
  };
}

/** The site that policies publish: one prefix in which objects are written and deleted, and at most one distribution. */
function siteOf(policies: readonly PolicyDocument[]): Site | undefined {
  const resourcesOf = (action: string) =>
    policies
      .flatMap((policy) => normalizePolicy(policy).statements)
      .flatMap(({ Effect, Action = [], Resource = [] }) =>
        Effect === "Allow" && Action.includes(action) ? Resource : [],
      );
  const [written, ...more] = resourcesOf("s3:DeleteObject");
  const [, prefix] = /^arn:[^:]+:s3:::([^*]+?)\/?\*$/.exec(written ?? "") ?? [];
  if (prefix === undefined || more.length > 0) return undefined;
  const [distribution] = resourcesOf("cloudfront:CreateInvalidation");
  return { url: `s3://${prefix}`, distribution: distribution?.split("distribution/")[1] };
}

/**
 * CircleCI's `filters` expression for the branches and tags that trust rules name. Undefined if a rule trusts every ref.
 *
 * @see https://circleci.com/docs/guides/orchestrate/config-templating/
 */
export function refFilter(rules: readonly TrustRule[]): string | undefined {
  if (!rules.every((rule) => "repository" in rule)) return undefined;
  const expressions = rules.flatMap(({ branches = [], tags = [] }) => [
    ...branches.map((name) => nameFilter("pipeline.git.branch", name)),
    ...tags.map((name) => nameFilter("pipeline.git.tag", name)),
  ]);
  return [...new Set(expressions)].join(" or ");
}

function nameFilter(value: string, name: string): string {
  if (name === "*") return `${value} != ""`;
  return name.endsWith("*")
    ? `${value} starts-with ${JSON.stringify(name.slice(0, -1))}`
    : `${value} == ${JSON.stringify(name)}`;
}
