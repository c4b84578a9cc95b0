/**
 * The public module: all that a team's `config.ts` imports. What is not exported here is internal and may move.
 */
export { ConfigError, defineConfig } from "./config/define";
export type {
  AcceptedFindings,
  CircleCiInput,
  ConfigInput,
  EnvironmentInput,
  Lock,
  QuotasInput,
  RoleInput,
  RolePattern,
  StateInput,
  Tags,
  TestJob,
  TrustTest,
} from "./config/input";
export { allowServices } from "./permissions/boundary";
export { applyEnvironment, planEnvironment } from "./permissions/environment";
export type {
  BoundaryBuilder,
  Deployer,
  EnvironmentScope,
  PolicyBuilder,
  ScopedRole,
  StateLocation,
} from "./permissions/scope";
export { readState } from "./permissions/state";
export { publishStaticSite, type StaticSite } from "./permissions/static-site";
export type { PolicyDocument, Statement } from "./policy/document";
export type { AnyRefRule, RefRule, SubjectRule, TrustRule } from "./trust/circleci";
export type { FindingName } from "./trust/lint/findings";
