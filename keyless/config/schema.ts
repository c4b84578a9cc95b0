import * as v from "valibot";
import type { PolicyBuilder } from "../permissions/scope";
import { isConditionOperator } from "../policy/conditions";
import { type PolicyDocument, type Statement, statements } from "../policy/document";
import {
  type AnyRefRule,
  formatRef,
  isRepository,
  type Ref,
  type RefRule,
  type SubjectRule,
  type TrustRule,
  UUID,
} from "../trust/circleci";
import { FINDING_NAMES } from "../trust/lint/findings";
import { isConfigurableRefName, isRefName, isRefNamePattern } from "../trust/ref-name";
import type {
  AcceptedFindings,
  CircleCiInput,
  ConfigInput,
  EnvironmentInput,
  QuotasInput,
  RoleInput,
  RolePattern,
  StateInput,
  TestJob,
  TrustTest,
} from "./input";
import { INLINE_POLICY_NAME, ROLE_NAME } from "./names";
import { DEFAULT_QUOTAS, MAX_QUOTAS } from "./quotas";

type Schema<T> = v.GenericSchema<unknown, T>;

// Every field of the interface has a schema and nothing else has: the compiler holds the two to each other.
type Entries<T> = {
  readonly [K in keyof T]-?: undefined extends T[K]
    ? v.OptionalSchema<Schema<Exclude<T[K], undefined>>, undefined>
    : Schema<T[K]>;
};

/**
 * Whether a name is refused as a key of the configuration: every JavaScript object has these. valibot does not check
 * some of them, cdktf mistakes others for constructs that exist, and a copy of an object loses what it inherits.
 */
export function isReservedName(name: string): boolean {
  return name in Object.prototype || name === "prototype";
}

function isFullyChecked(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return true;
  const parent: unknown = Object.getPrototypeOf(value);
  const isPlain = parent === null || Object.getPrototypeOf(parent) === null;
  return isPlain && !Object.keys(value).some(isReservedName);
}

const fullyChecked = v.custom<unknown>(
  isFullyChecked,
  "must be a plain object without names that JavaScript gives to every object, as constructor or toString: name it otherwise",
);

function object<T>(entries: Entries<T>): Schema<T> {
  const unknownField = v.never("is not a field here: correct its spelling or remove it");
  const fields = v.objectWithRest(entries as v.ObjectEntries, unknownField, (issue) =>
    issue.expected === "Object" ? "must be an object: { … }" : "is missing: this field is required",
  );
  return v.pipe(fullyChecked, fields) as unknown as Schema<T>;
}

function optional<T>(schema: Schema<T>): v.OptionalSchema<Schema<T>, undefined> {
  return v.optional(schema);
}

function list<T>(item: Schema<T>, atLeastOne?: string): Schema<T[]> {
  const array = v.array(item, "must be a list: [ … ]");
  return atLeastOne === undefined ? array : v.pipe(array, v.minLength(1, atLeastOne));
}

/** A text of a given form; `wrong` completes the sentence that begins with the value: "… is not a …: do this". */
function text(form: RegExp | ((value: string) => boolean), wrong: string): Schema<string> {
  const matches = typeof form === "function" ? form : (value: string) => form.test(value);
  return v.pipe(v.string("must be a text in quotes"), v.check(matches, wrong));
}

function oneOf<const T extends string>(...options: T[]): Schema<T> {
  return v.picklist(options, `must be one of ${options.map((option) => `"${option}"`).join(", ")}`);
}

function wholeNumber(least: number, most: number, unit: string): Schema<number> {
  const wrong = `must be a whole number of ${unit} from ${least} to ${most}`;
  return v.pipe(
    v.number(wrong),
    v.check((value) => Number.isInteger(value) && value >= least && value <= most, wrong),
  );
}

function byName<T>(name: Schema<string>, value: Schema<T>, atLeastOne?: string): Schema<{ [name: string]: T }> {
  const key = name as Schema<string> & v.GenericSchema<string, string>;
  const notAnObject = "must be an object: { name: … }";
  const notAList = v.custom<unknown>((given) => !Array.isArray(given), notAnObject);
  const record = v.pipe(notAList, fullyChecked, v.record(key, value, notAnObject));
  if (atLeastOne === undefined) return record;
  return v.pipe(
    record,
    v.check((given) => Object.keys(given).length > 0, atLeastOne),
  );
}

function id(whose: string): Schema<string> {
  return text(
    UUID,
    `is not ${whose}: write the lower-case UUID that CircleCI shows, e.g. "11111111-2222-4333-8444-555555555555"`,
  );
}

// AWS takes an issuer's URL of up to 255 characters, 49 of which are not the host's.
const host = text(
  /^(?=.{1,206}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
  'is not a host: write its name in lower case, without "https://", port and path, up to 206 characters, e.g. "circleci.example.com"',
);

const tags = byName(
  text(
    /^(?![aA][wW][sS]:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u,
    "is not a tag's key: 1–128 letters, digits, spaces and _.:/=+-@, not beginning with aws:",
  ),
  text(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, "is not a tag's value: up to 256 letters, digits, spaces and _.:/=+-@"),
);

/** A string copied verbatim into a trust policy: Latin-1, no policy variables. */
function inTrustPolicy(form: Schema<string>): Schema<string> {
  return v.pipe(
    form,
    v.check(
      (value) => isPolicyText(value) && !/[$&%]\{/.test(value),
      "cannot stand in a trust policy: AWS takes characters of Latin-1 only, and ${ &{ %{ would begin a variable: name something else",
    ),
  );
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
export function isPolicyText(value: string): boolean {
  return /^[\t\n\r\x20-\xff]*$/.test(value);
}

function refName(kind: Ref["kind"]): Schema<string> {
  return inTrustPolicy(
    text(
      (name) => isRefNamePattern(name) && isConfigurableRefName(name),
      `is not a ${kind}: write its name as git does, without ${formatRef({ kind, name: "" })}; a * may stand only at its end`,
    ),
  );
}

const project = id("a project's id");
const users = optional(list(id("a user's id"), "names no user: name at least one, or remove it to trust any user"));

const anyRefRule = object<AnyRefRule>({
  project,
  refs: oneOf("any") as Schema<"any">,
  users,
});

const repository = text(
  isRepository,
  'is not a repository as the token spells it: write host/owner/name, without "https://" and ".git", e.g. "github.com/acme/site"',
);

const refRule: Schema<RefRule> = v.pipe(
  object<RefRule>({
    project,
    repository,
    branches: optional(list(refName("branch"))),
    tags: optional(list(refName("tag"))),
    users,
  }),
  v.check(
    ({ branches = [], tags = [] }) => branches.length + tags.length > 0,
    'names no branch and no tag: name at least one, e.g. branches: ["main"], or trust everything of the project by { project, refs: "any" }',
  ),
);

const subjectRule = object<SubjectRule>({
  subject: inTrustPolicy(
    text(/^\P{Cc}*$/u, "must not hold control characters: write the subject's literal text with * and ?"),
  ),
});

const trustRule: Schema<TrustRule> = v.lazy((rule): Schema<TrustRule> => {
  if (typeof rule === "object" && rule !== null) {
    if ("subject" in rule) return subjectRule;
    if ("refs" in rule) return anyRefRule;
  }
  return refRule;
});

const oneOrMoreTexts = (item: Schema<string>): Schema<string | string[]> =>
  v.lazy(
    (value): Schema<string | string[]> => (Array.isArray(value) ? list(item, "is empty: name at least one") : item),
  );

const action = oneOrMoreTexts(
  text(/^(\*|[a-z0-9-]+:[\w*?]+)$/i, 'is not an action: write service:Action, e.g. "s3:GetObject"'),
);
const resource = oneOrMoreTexts(
  text(/^(\*|arn:.+)$/s, 'is not a resource: write an ARN, e.g. "arn:aws:s3:::bucket/*", or "*"'),
);
const conditionValue = v.lazy((value): v.GenericSchema => (Array.isArray(value) ? scalars : scalar));
const scalar = v.union(
  [v.string(), v.number(), v.boolean()],
  "must be a text, a number, true, false, or a list of them",
);
const scalars = list(scalar as v.GenericSchema<unknown>, "is empty: name at least one");

const statement = v.pipe(
  object<Statement>({
    Sid: optional(text(/^[A-Za-z0-9]*$/, "is not a statement's id: letters and digits only")),
    Effect: oneOf("Allow", "Deny"),
    Principal: optional(v.never("must not stand in an inline policy: the role is the principal") as Schema<never>),
    NotPrincipal: optional(v.never("must not stand in an inline policy: the role is the principal") as Schema<never>),
    Action: optional(action),
    NotAction: optional(action),
    Resource: optional(resource),
    NotResource: optional(resource),
    Condition: optional(
      byName(
        text(isConditionOperator, 'is not a condition operator: e.g. "StringEquals"'),
        byName(text(/^.+$/, "is not a condition key"), conditionValue as Schema<string>),
      ),
    ),
  }),
  v.check((it) => (it.Action === undefined) !== (it.NotAction === undefined), "must have either Action or NotAction"),
  v.check(
    (it) => (it.Resource === undefined) !== (it.NotResource === undefined),
    "must have either Resource or NotResource",
  ),
);

/** An identity policy: what a role may do. */
export const policyDocumentSchema = v.pipe(
  object<PolicyDocument>({
    Version: optional(oneOf("2012-10-17", "2008-10-17")),
    Id: optional(text(/^/, "")),
    Statement: v.lazy(
      (value): Schema<PolicyDocument["Statement"]> =>
        Array.isArray(value) ? list(statement, "is empty: write at least one statement") : statement,
    ),
  }),
  v.check(
    (document) => isPolicyText(JSON.stringify(document)),
    "holds characters that AWS does not take in a policy: write it in characters of Latin-1",
  ),
  v.check((document) => {
    const ids = statements(document).flatMap(({ Sid }) => Sid || []);
    return new Set(ids).size === ids.length;
  }, "has two statements with the same Sid: AWS wants them to differ"),
);

const inlinePolicy: Schema<PolicyDocument | PolicyBuilder> = v.lazy(
  (value): Schema<PolicyDocument | PolicyBuilder> =>
    typeof value === "function" ? (v.function() as unknown as Schema<PolicyBuilder>) : policyDocumentSchema,
);

// Its path has no character that a policy or Terraform would read as a wildcard or a variable.
const managedPolicyArn = text(
  /^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/((?!\S*[*?]|\S*[$%]\{)[\x21-\x7e]+\/)?[\w+=,.@-]{1,128}$/,
  'is not the ARN of a managed policy: e.g. "arn:aws:iam::aws:policy/ReadOnlyAccess" or "arn:aws:iam::123456789012:policy/name"',
);

const role = object<RoleInput>({
  trust: list(trustRule, "trusts no job: name at least one rule, e.g. { project, repository, branches }"),
  managedPolicyArns: optional(list(managedPolicyArn)),
  inlinePolicies: optional(
    byName(text(INLINE_POLICY_NAME, "is not an inline policy's name: 1–128 letters, digits and _+=,.@-"), inlinePolicy),
  ),
  description: optional(
    text(/^[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}$/, "is not a description: up to 1,000 Latin characters"),
  ),
  path: optional(
    text(
      (path) =>
        path.length <= 512 && /^\/([\x21-\x7e]+\/)?$/.test(path) && !path.includes("//") && !/[$%]\{|[*?]/.test(path),
      'is not a path: it begins and ends with "/", without spaces, up to 512 characters, e.g. "/circleci/"',
    ),
  ),
  permissionsBoundaryArn: optional(managedPolicyArn),
  maxSessionSeconds: optional(wholeNumber(3600, 43200, "seconds")),
  tags: optional(tags),
  deployedBy: optional(oneOf("pipeline", "administrator")),
  acceptedFindings: optional(
    byName(
      oneOf(...FINDING_NAMES),
      text(/\S/, "gives no reason: say in words why the finding is accepted"),
    ) as Schema<AcceptedFindings>,
  ),
});

const region = text(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, 'is not an AWS region: e.g. "us-east-1"');

const state = object<StateInput>({
  bucket: text(
    (name) =>
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
      !/\.\.|\.-|-\.|^\d+\.\d+\.\d+\.\d+$|^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(
        name,
      ),
    "is not a bucket's name: 3–63 lower-case letters, digits, - and ., beginning and ending with a letter or digit",
  ),
  lockTable: optional(text(/^[a-zA-Z0-9_.-]{3,255}$/, "is not a table's name: 3–255 letters, digits and _.-")),
  lock: optional(oneOf("dynamodb", "lockfile", "both")),
  kmsKeyArn: optional(
    text(
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-z0-9-]+$/,
      'is not the ARN of a KMS key: "arn:aws:kms:<region>:<account>:key/<id>", not an alias',
    ),
  ),
  keyPrefix: optional(
    text(
      /^((?!\.\.?\/)[\w.-]+\/)*$/,
      'is not a prefix of keys: letters, digits and _.- in folders, ending with "/", not beginning with it, e.g. "platform/"',
    ),
  ),
  region: optional(region),
  keepOldVersionsDays: optional(
    v.lazy(
      (days): Schema<number | "forever"> =>
        typeof days === "string" ? oneOf("forever") : wholeNumber(1, 36_500, 'days, or "forever",'),
    ),
  ),
});

const environment = object<EnvironmentInput>({
  accountId: text(/^\d{12}$/, 'is not an AWS account id: write its 12 digits in quotes, e.g. "123456789012"'),
  region,
  state,
  oidcProvider: optional(oneOf("create", "existing")),
  quotas: optional(
    object<QuotasInput>({
      trustPolicySize: optional(wholeNumber(DEFAULT_QUOTAS.trustPolicySize, MAX_QUOTAS.trustPolicySize, "characters")),
      managedPoliciesPerRole: optional(
        wholeNumber(DEFAULT_QUOTAS.managedPoliciesPerRole, MAX_QUOTAS.managedPoliciesPerRole, "policies"),
      ),
      rolesPerAccount: optional(wholeNumber(DEFAULT_QUOTAS.rolesPerAccount, MAX_QUOTAS.rolesPerAccount, "roles")),
    }),
  ),
  roles: byName(text(ROLE_NAME, "is not a role's name: 1–64 letters, digits and _+=,.@-"), role),
});

const audience = inTrustPolicy(
  text(/^[^\p{Cc}\s]{1,255}$/u, "is not an audience: 1–255 characters without white space"),
);

// That it names a role is one of the checks.
const rolePattern = text(/^/, "") as Schema<RolePattern>;

function oneRef(kind: Ref["kind"]): Schema<string> {
  return text(
    (name) => isRefName(name) && isConfigurableRefName(name),
    `is not a ${kind}: write the whole name of one, as git does, without ${formatRef({ kind, name: "" })}`,
  );
}

const testJob: Schema<TestJob> = v.pipe(
  object<TestJob>({
    project,
    repository: optional(repository),
    branch: optional(oneRef("branch")),
    tag: optional(oneRef("tag")),
    user: optional(id("a user's id")),
    audience: optional(audience),
  }),
  v.check(({ repository, branch, tag }) => {
    const refs = [branch, tag].filter((ref) => ref !== undefined).length;
    return refs === (repository === undefined ? 0 : 1);
  }, "needs a repository with one branch or one tag; or none of the three, for a job that has only a V1 token"),
);

const trustTest = object<TrustTest>({
  name: optional(text(/^[^\p{Cc}]+$/u, "is not a test's name: write what it makes sure of in one line")),
  job: testJob,
  admitted: list(rolePattern),
  refused: optional(list(rolePattern)),
});

/** The form of every field; what holds between fields and environments is in `checks.ts`. */
export const configSchema = object<ConfigInput>({
  circleci: object<CircleCiInput>({
    organizationId: id("an organization's id"),
    audiences: optional(
      list(audience, "takes no token: name at least one audience, or remove it to take CircleCI's own"),
    ),
    thumbprints: optional(
      list(text(/^[0-9a-f]{40}$/i, "is not a thumbprint: 40 hex digits of a SHA-1, without colons")),
    ),
    server: optional(host),
  }),
  tags: optional(tags),
  environments: byName(
    text(
      /^[a-z][a-z0-9_-]{0,59}$/,
      "is not an environment's name: up to 60 lower-case letters, digits, - and _, beginning with a letter",
    ),
    environment,
    "names no environment: describe at least one",
  ),
  trustTests: optional(list(trustTest)),
});
