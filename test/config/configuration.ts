import { ConfigError, defineConfig } from "../../keyless/config/define";
import type { ConfigInput } from "../../keyless/config/input";
import type { Environment } from "../../keyless/config/resolved";

export const organization = "11111111-2222-4333-8444-555555555555";
export const project = "66666666-7777-4888-9999-000000000000";
export const user = "33333333-4444-4555-8666-777777777777";
export const account = "123456789012";

/** A valid configuration that has a value in nearly every field. */
export const valid: ConfigInput = {
  circleci: { organizationId: organization },
  tags: { ManagedBy: "cdktf" },
  environments: {
    dev: {
      accountId: account,
      region: "us-east-1",
      state: { bucket: "acme-tfstate", lockTable: "acme-lock" },
      roles: {
        reader: {
          trust: [{ project, repository: "github.com/acme/site", branches: ["main"] }],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
          inlinePolicies: {
            read: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] },
          },
        },
      },
    },
  },
};

type Keys = readonly (string | number)[];
type Change = readonly [path: string | Keys, value: unknown];

/** The valid configuration with another value at each path, written with dots or as a list of keys. */
export function having(...changes: Change[]): ConfigInput {
  let config: unknown = valid;
  for (const [path, value] of changes) config = replaced(config, keysOf(path), value);
  return config as ConfigInput;
}

export function keysOf(path: string | Keys): Keys {
  if (typeof path !== "string") return path;
  return path === "" ? [] : path.split(".").map((key) => (/^\d+$/.test(key) && key.length < 3 ? Number(key) : key));
}

function replaced(target: unknown, keys: Keys, value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const inner = replaced((target as Record<string | number, unknown> | undefined)?.[key], rest, value);
  if (Array.isArray(target)) return target.map((item, index) => (index === key ? inner : item));
  const others = Object.entries(target ?? {}).filter(([name]) => name !== key);
  return Object.fromEntries(inner === undefined ? others : [...others, [key, inner]]);
}

/** The error for a configuration. Fails the test if the configuration is valid. */
export function refusal(config: unknown): ConfigError {
  try {
    defineConfig(config as ConfigInput);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

/** The environment "dev" of the valid configuration with changes. */
export function devOf(...changes: Change[]): Environment {
  const dev = defineConfig(having(...changes)).environments[0];
  if (dev === undefined) throw new Error("the configuration has no environment");
  return dev;
}
