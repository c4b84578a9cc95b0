import { type Plan, readPlan } from "../../keyless/plan/schema";

export const ORG = "11111111-2222-4333-8444-555555555555";
export const PROJECT = "66666666-7777-4888-9999-000000000000";
export const ISSUER = `oidc.circleci.com/org/${ORG}`;
const SHAPE = "????????-????-????-????-????????????";
export const ANY = `org/${ORG}/project/${PROJECT}/user/*`;
export const onBranch = (branch: string) =>
  `org/${ORG}/project/${PROJECT}/user/${SHAPE}/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/${branch}`;

/** A change as Terraform writes it; the actions follow from which sides there are. */
export function change(
  address: string,
  before: unknown,
  after: unknown,
  more: { readonly [field: string]: unknown } = {},
) {
  const { actions, after_unknown, before_sensitive, after_sensitive, importing, replace_paths, ...rest } = more;
  const key = String.raw`\[(?:"(?:[^"\\]|\\.)*"|\d+)\]`;
  const shape = new RegExp(String.raw`^((?:module\.[\w-]+(?:${key})?\.)*)(.*?)(${key})?$`);
  const [, module, path = "", index] = shape.exec(address) ?? [];
  const [type, name] = path.replace(/^data\./, "").split(".");
  return {
    address,
    ...(module ? { module_address: module.slice(0, -1) } : {}),
    ...(index === undefined ? {} : { index: JSON.parse(index.slice(1, -1)) }),
    mode: path.startsWith("data.") ? "data" : "managed",
    type,
    name,
    provider_name: "registry.terraform.io/hashicorp/aws",
    ...rest,
    change: {
      actions:
        actions ??
        (before === null ? ["create"] : after === null ? ["delete"] : before === after ? ["no-op"] : ["update"]),
      before,
      after,
      after_unknown: after_unknown ?? {},
      before_sensitive: before_sensitive ?? {},
      after_sensitive: after_sensitive ?? {},
      ...(importing === undefined ? {} : { importing }),
      ...(replace_paths === undefined ? {} : { replace_paths }),
    },
  };
}

export function planJson(changes: readonly unknown[], more: { readonly [field: string]: unknown } = {}) {
  return {
    format_version: "1.2",
    terraform_version: "1.11.4",
    planned_values: { root_module: {} },
    resource_changes: changes,
    configuration: { root_module: {} },
    ...more,
  };
}

export function plan(changes: readonly unknown[], more: { readonly [field: string]: unknown } = {}): Plan {
  return readPlan("dev", planJson(changes, more));
}

/** The statement that this project writes for CircleCI. */
export function statement(subjects: string | readonly string[], more: { readonly [element: string]: unknown } = {}) {
  return {
    Effect: "Allow",
    Action: "sts:AssumeRoleWithWebIdentity",
    Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${ISSUER}` },
    Condition: { StringEquals: { [`${ISSUER}:aud`]: ORG }, StringLike: { [`${ISSUER}:sub`]: subjects } },
    ...more,
  };
}

export function policy(...statements: readonly unknown[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

export function role(name: string, trust: string | null, more: { readonly [attribute: string]: unknown } = {}) {
  return { name, assume_role_policy: trust, permissions_boundary: null, tags: null, ...more };
}
