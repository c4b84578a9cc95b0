import { type Config, type ConfigInput, defineConfig, type RoleInput } from "../../keyless/config/define";

export const ORGANIZATION = "11111111-2222-4333-8444-555555555555";
export const PROJECT = "66666666-7777-4888-9999-000000000000";
export const OTHER_PROJECT = "22222222-3333-4444-8555-666666666666";
export const USER = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
export const SITE = { project: PROJECT, repository: "github.com/acme/site" };

type Roles = { readonly [name: string]: RoleInput };

/** A configuration of these environments, each in its own account. */
export function configOf(
  environments: { readonly [name: string]: Roles },
  trustTests?: ConfigInput["trustTests"],
): Config {
  const entries = Object.entries(environments).map(([name, roles], index) => {
    const state = { bucket: `acme-${name}-tfstate`, lockTable: `acme-${name}-lock` };
    return [name, { accountId: `12345678901${index}`, region: "us-east-1", state, roles }] as const;
  });
  return defineConfig({
    circleci: { organizationId: ORGANIZATION },
    environments: Object.fromEntries(entries),
    ...(trustTests !== undefined && { trustTests }),
  });
}

export function policy(...actions: string[]) {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] } as const;
}

/** `count` roles with shared and distinct refs, any ref, users, long names, and some administrators. */
export function manyRoles(count: number): Roles {
  const roles = Array.from({ length: count }, (_, index): [string, RoleInput] => {
    const number = String(Math.floor(index / 3)).padStart(8, "0");
    const project = `${number}-7777-4888-9999-000000000000`;
    const repository = `github.com/acme-corporation/a-repository-with-quite-a-long-name-${number}`;
    const trust = [
      [{ project, repository, branches: ["main"] }],
      [
        { project, repository, branches: ["main", "release/*"], tags: ["v*"] },
        { ...SITE, branches: ["main"] },
      ],
      [{ project, refs: "any" as const, ...(index % 2 === 0 && { users: [USER] }) }],
    ][index % 3];
    const managed =
      index % 17 === 3 ? "AdministratorAccess" : index % 2 === 0 ? "ReadOnlyAccess" : "AmazonS3FullAccess";
    return [
      `role-${index}-${"n".repeat(index % 50)}`,
      {
        trust: trust ?? [],
        managedPolicyArns: [`arn:aws:iam::aws:policy/${managed}`],
        ...(index % 4 === 0 && {
          inlinePolicies: { publish: policy("s3:PutObject", "cloudfront:CreateInvalidation") },
        }),
      },
    ];
  });
  return Object.fromEntries(roles);
}
