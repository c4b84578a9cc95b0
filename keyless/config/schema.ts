import * as v from "valibot";
import { isBucketName, isKmsKeyArn } from "../permissions/resource-names";
import type { BoundaryBuilder, PolicyBuilder } from "../permissions/scope";
import { isConditionOperator } from "../policy/conditions";
import { isObject, type PolicyDocument, type Statement, statements } from "../policy/document";
import { closestName, didYouMean } from "../text";
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
import { isRefName, isRefNamePattern, refNameFault } from "../trust/ref-name";
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
import { ACCOUNT_ID, INLINE_POLICY_NAME, REGION_NAME, ROLE_NAME } from "./names";
import { DEFAULT_QUOTAS, MAX_QUOTAS } from "./quotas";
import {
  type Repair,
  repairAccount,
  repairBucket,
  repairHost,
  repairId,
  repairName,
  repairPath,
  repairPolicyArn,
  repairPrefix,
  repairRef,
  repairRegion,
  repairRepository,
  repairResource,
  repairText,
} from "./repairs";

type Schema<T> = v.GenericSchema<unknown, T>;
type RequiredFields<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: Schema<T[K]> };
type OptionalFields<T> = {
  readonly [K in keyof T as undefined extends T[K] ? K : never]-?: Schema<Exclude<T[K], undefined>>;
};

/**
 * Whether a name is refused as a key of the configuration, because every JavaScript object has a property of that name:
 * valibot does not check some of them, and cdktf takes others for existing constructs.
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
  "must be a plain object without keys that every JavaScript object has, such as constructor and toString: rename the key",
);

/** An object with exactly these fields. The compiler checks that the fields are those of the interface. */
function object<T>(required: RequiredFields<T>, optional: OptionalFields<T>): Schema<T> {
  const optionalFields = Object.entries(optional).map(([name, schema]) => [
    name,
    v.optional(schema as Schema<unknown>),
  ]);
  const known = { ...required, ...Object.fromEntries(optionalFields) } as v.ObjectEntries;
  const objectOf = (entries: v.ObjectEntries) =>
    v.object(entries, (issue) =>
      issue.expected === "Object" ? "must be an object: { … }" : "is missing: this field is required",
    );
  const valid = objectOf(known);
  const fields = v.lazy((value) => {
    if (!isObject(value) || Object.keys(value).every((name) => name in known)) return valid;
    return objectOf({ ...known, ...unknownFields(value, Object.keys(known), Object.keys(required)) });
  });
  return v.pipe(fullyChecked, fields) as unknown as Schema<T>;
}

/**
 * Schemas that refuse the fields of a value that are not known. A misspelt required field is not also reported as missing:
 * its schema replaces that of the required field.
 */
function unknownFields(value: object, known: readonly string[], required: readonly string[]): v.ObjectEntries {
  const absent = known.filter((name) => !(name in value));
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  const entries = unknown.flatMap((name): [string, v.GenericSchema][] => {
    const intended = similarField(name, absent);
    const hint = intended === undefined ? `; the fields are ${known.join(", ")}` : didYouMean(intended);
    const message = `is not a field of this object: correct its spelling or remove it${hint}`;
    return intended !== undefined && required.includes(intended)
      ? [
          [name, v.custom(() => false, message)],
          [intended, v.optional(v.unknown())],
        ]
      : [[name, v.never(message)]];
  });
  return Object.fromEntries(entries);
}

/** A field with a similar name or the same beginning, e.g. `managedPolicyArns` for `managedPolicies`. */
function similarField(name: string, fields: readonly string[]): string | undefined {
  const beginning = name.slice(0, Math.max(4, Math.ceil(name.length / 2))).toLowerCase();
  return closestName(name, fields) ?? fields.find((field) => field.toLowerCase().startsWith(beginning));
}

function listOf<T>(item: Schema<T>, ifEmpty?: string): Schema<T[]> {
  const array = v.array(item, ({ input }) =>
    typeof input === "string" && input.length < 200
      ? `must be a list: write ${JSON.stringify([input])}`
      : "must be a list: [ … ]",
  );
  return ifEmpty === undefined ? array : v.pipe(array, v.minLength(1, ifEmpty));
}

/**
 * A string for which `fault` returns undefined; otherwise it returns the message, which follows the value. The message
 * suggests the first repaired value without a fault.
 */
function checkedString(fault: (value: string) => string | undefined, repair: Repair = () => []): Schema<string> {
  const suggestion = (value: string) =>
    [...repairText(value), ...repair(value), ...repair(value.trim())].find(
      (repaired) => repaired !== "" && fault(repaired) === undefined,
    );
  return v.pipe(
    v.string(({ input }) => `must be a string${typeof input === "number" ? ": write it in quotes" : ""}`),
    v.check(
      (value) => fault(value) === undefined,
      ({ input }) => `${fault(input)}${suggestedValue(suggestion(input))}`,
    ),
  );
}

function suggestedValue(value: string | undefined): string {
  return didYouMean(value === undefined || value.length > 200 ? undefined : JSON.stringify(value));
}

function string(form: RegExp | ((value: string) => boolean), message: string, repair?: Repair): Schema<string> {
  const matches = typeof form === "function" ? form : (value: string) => form.test(value);
  return checkedString((value) => (matches(value) ? undefined : message), repair);
}

function oneOf<const T extends string>(...options: T[]): Schema<T> {
  const message = `must be one of ${options.map((option) => `"${option}"`).join(", ")}`;
  return v.picklist(
    options,
    ({ input }) => `${message}${suggestedValue(typeof input === "string" ? closestName(input, options) : undefined)}`,
  );
}

function wholeNumber(least: number, most: number, unit: string): Schema<number> {
  const message = `must be a whole number of ${unit} from ${least} to ${most}`;
  return v.pipe(
    v.number(message),
    v.check((value) => Number.isInteger(value) && value >= least && value <= most, message),
  );
}

function quota(name: keyof QuotasInput, unit: string): Schema<number> {
  return wholeNumber(DEFAULT_QUOTAS[name], MAX_QUOTAS[name], unit);
}

function byName<T>(name: Schema<string>, value: Schema<T>, ifEmpty?: string): Schema<{ [name: string]: T }> {
  const key = name as Schema<string> & v.GenericSchema<string, string>;
  const notAnObject = "must be an object: { name: … }";
  const notAList = v.custom<unknown>((given) => !Array.isArray(given), notAnObject);
  const record = v.pipe(notAList, fullyChecked, v.record(key, value, notAnObject));
  return ifEmpty === undefined ? record : v.pipe(record, v.minEntries(1, ifEmpty));
}

function id(what: string): Schema<string> {
  return string(
    UUID,
    `is not ${what}: write the lower-case UUID that CircleCI shows, e.g. "11111111-2222-4333-8444-555555555555"`,
    repairId,
  );
}

// AWS accepts issuer URLs of up to 255 characters, 49 of which are not part of the host.
const HOST_NAME = /^(?=.{1,206}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;

/** Whether a text is the host name of a CircleCI server: in lower case, without scheme, port and path. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

const host = string(
  HOST_NAME,
  'is not a host name: write it in lower case without "https://", port and path, up to 206 characters, e.g. "circleci.example.com"',
  repairHost,
);

const tags = byName(
  string(
    /^(?![aA][wW][sS]:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u,
    "is not a tag key: 1–128 letters, digits, spaces and _.:/=+-@, not beginning with aws:",
  ),
  string(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, "is not a tag value: up to 256 letters, digits, spaces and _.:/=+-@"),
);

/**
 * Whether AWS accepts the characters of a text in a policy: Latin-1.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
export function isPolicyText(value: string): boolean {
  return /^[\t\n\r\x20-\xff]*$/.test(value);
}

const VARIABLE = "contains ${, &{ or %{, which begins a variable in AWS or Terraform: rename it";
const NOT_LATIN = "contains characters outside Latin-1, which AWS does not accept in a policy: rename it";

/** A string that is copied verbatim into a trust policy. */
function inTrustPolicy(form: RegExp, message: string): Schema<string> {
  return checkedString((value) => {
    if (!form.test(value)) return message;
    if (/[$&%]\{/.test(value)) return VARIABLE;
    return isPolicyText(value) ? undefined : NOT_LATIN;
  });
}

/** Why git refuses a name. See https://git-scm.com/docs/git-check-ref-format */
const GIT_RULES: readonly (readonly [form: RegExp, fault: string])[] = [
  [/^$/, "is empty: write a name"],
  [/\s/, "contains white space, which git refuses in a name: remove it"],
  [/^\/|\/$|\/\//, "begins or ends with a slash or has two in a row, which git refuses: remove the slash"],
  [/\.lock(\/|$)/, 'has a part that ends with ".lock", which git refuses: rename it'],
  [/\.\./, 'contains "..", which git refuses: list each name, or use a * at the end'],
  [/(^|\/)\.|\.$/, "has a dot at its end or at the beginning of a part, which git refuses: remove the dot"],
  [/[~^:?[\\]/, "contains a character that git refuses (~^:?[\\): write a name, or a name with a * at the end"],
];

/** The name of a branch or tag; of one only, or a pattern for several. */
function refName(kind: Ref["kind"], as: "name" | "pattern"): Schema<string> {
  return checkedString((value) => {
    const isValid = as === "name" ? isRefName(value) : isRefNamePattern(value);
    const fault = refNameFault(value);
    if (fault === "full-ref")
      return `begins with refs/: write the ${kind} name without ${formatRef({ kind, name: "" })}`;
    if (fault === "variable") return VARIABLE;
    if (fault === "too-long") return `is too long: the name of a ${kind} has up to 244 characters`;
    if (as === "pattern" && /\*./s.test(value)) return "has a * within the name: a * is allowed only at the end";
    const [, gitFault = "git refuses it"] = GIT_RULES.find(([form]) => form.test(value)) ?? [];
    if (!isValid) return `is not a valid ${kind} name: ${gitFault}`;
    return as === "name" || isPolicyText(value) ? undefined : NOT_LATIN;
  }, repairRef);
}

const project = id("a project ID");
const users = listOf(id("a user ID"), "must contain at least one user: remove it to trust any user");

const anyRef = v.literal(
  "any",
  'must be "any", which trusts every branch and tag; to trust some, write { project, repository, branches or tags }',
);
const anyRefRule = object<AnyRefRule>({ project, refs: anyRef }, { users });

const repository = string(
  isRepository,
  'is not a repository as tokens contain it: write host/owner/name, without "https://" and ".git", e.g. "github.com/acme/site"',
  repairRepository,
);

const refRule: Schema<RefRule> = v.pipe(
  object<RefRule>(
    { project, repository },
    { branches: listOf(refName("branch", "pattern")), tags: listOf(refName("tag", "pattern")), users },
  ),
  v.check(
    ({ branches = [], tags = [] }) => branches.length + tags.length > 0,
    'must have at least one branch or tag, e.g. branches: ["main"]; to trust every ref of the project, write { project, refs: "any" }',
  ),
);

const subjectRule = object<SubjectRule>(
  { subject: inTrustPolicy(/^\P{Cc}*$/u, "must not contain control characters") },
  {},
);

const trustRule: Schema<TrustRule> = v.lazy((rule): Schema<TrustRule> => {
  if (typeof rule === "object" && rule !== null) {
    if ("subject" in rule) return subjectRule;
    if ("refs" in rule || ("ref" in rule && !("repository" in rule))) return anyRefRule;
  }
  return refRule;
});

function oneOrMore<T>(item: Schema<T>): Schema<T | T[]> {
  return v.lazy(
    (value): Schema<T | T[]> => (Array.isArray(value) ? listOf(item, "must not be empty: list at least one") : item),
  );
}

const action = oneOrMore(
  string(/^(\*|[a-z0-9-]+:[\w*?]+)$/i, 'is not an action: write service:Action, e.g. "s3:GetObject"'),
);
const resource = oneOrMore(
  string(/^(\*|arn:.+)$/s, 'is not a resource: write an ARN, e.g. "arn:aws:s3:::bucket/*", or "*"', repairResource),
);
const conditionValue = v.union(
  [v.string(), v.number(), v.boolean()],
  "must be a string, a number, true, false, or a list of them",
);
const noPrincipal = v.never("is not allowed in a policy of a role: the role is the principal") as Schema<never>;

const statement = v.pipe(
  object<Statement>(
    { Effect: oneOf("Allow", "Deny") },
    {
      Sid: string(/^[A-Za-z0-9]*$/, "is not a statement ID: use letters and digits only"),
      Principal: noPrincipal,
      NotPrincipal: noPrincipal,
      Action: action,
      NotAction: action,
      Resource: resource,
      NotResource: resource,
      Condition: byName(
        string(isConditionOperator, 'is not a condition operator, e.g. "StringEquals"'),
        byName(string(/^.+$/, "is not a condition key"), oneOrMore(conditionValue)),
      ),
    },
  ),
  v.check((it) => (it.Action === undefined) !== (it.NotAction === undefined), "must have either Action or NotAction"),
  v.check(
    (it) => (it.Resource === undefined) !== (it.NotResource === undefined),
    "must have either Resource or NotResource",
  ),
);

/** An identity policy: the permissions of a role. */
export const policyDocumentSchema = v.pipe(
  object<PolicyDocument>(
    {
      Statement: v.lazy(
        (value): Schema<PolicyDocument["Statement"]> =>
          Array.isArray(value) ? listOf(statement, "must contain at least one statement") : statement,
      ),
    },
    { Version: oneOf("2012-10-17", "2008-10-17"), Id: string(/^/, "") },
  ),
  v.check((document) => isPolicyText(JSON.stringify(document)), NOT_LATIN),
  v.check((document) => {
    const ids = statements(document).flatMap(({ Sid }) => Sid || []);
    return new Set(ids).size === ids.length;
  }, "has two statements with the same Sid: AWS requires unique ones"),
);

/** A policy document, or a function that builds one. */
function policyOr<Builder>(): Schema<PolicyDocument | Builder> {
  return v.lazy(
    (value): Schema<PolicyDocument | Builder> =>
      typeof value === "function" ? (v.function() as unknown as Schema<Builder>) : policyDocumentSchema,
  );
}

// The path must not contain characters that a policy or Terraform reads as a wildcard or a variable.
const managedPolicyArn = string(
  /^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/((?!\S*[*?]|\S*[$%]\{)[\x21-\x7e]+\/)?[\w+=,.@-]{1,128}$/,
  'is not the ARN of a managed policy, e.g. "arn:aws:iam::aws:policy/ReadOnlyAccess" or "arn:aws:iam::123456789012:policy/name"',
  repairPolicyArn,
);

const role = object<RoleInput>(
  { trust: listOf(trustRule, "must contain at least one rule, e.g. { project, repository, branches }") },
  {
    managedPolicyArns: listOf(managedPolicyArn),
    inlinePolicies: byName(
      string(INLINE_POLICY_NAME, "is not an inline policy name: 1–128 letters, digits and _+=,.@-", repairName),
      policyOr<PolicyBuilder>(),
    ),
    description: string(
      /^[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}$/,
      "is not a role description: up to 1,000 Latin-1 characters without control characters",
    ),
    path: string(
      (path) =>
        path.length <= 512 && /^\/([\x21-\x7e]+\/)?$/.test(path) && !path.includes("//") && !/[$%]\{|[*?]/.test(path),
      'is not a role path: it begins and ends with "/", without spaces, up to 512 characters, e.g. "/circleci/"',
      repairPath,
    ),
    permissionsBoundaryArn: managedPolicyArn,
    maxSessionSeconds: wholeNumber(3600, 43200, "seconds"),
    tags,
    deployedBy: oneOf("pipeline", "administrator", "pipeline-as-administrator"),
    acceptedFindings: byName(
      oneOf(...FINDING_NAMES),
      string(/\S/, "must be the reason for which you accept the finding"),
    ) as Schema<AcceptedFindings>,
  },
);

const region = string(REGION_NAME, 'is not an AWS region, e.g. "us-east-1"', repairRegion);

const state = object<StateInput>(
  {
    bucket: string(
      isBucketName,
      "is not a bucket name: 3–63 lower-case letters, digits, - and ., beginning and ending with a letter or digit",
      repairBucket,
    ),
  },
  {
    lockTable: string(/^[a-zA-Z0-9_.-]{3,255}$/, "is not a table name: 3–255 letters, digits and _.-", repairName),
    lock: oneOf("dynamodb", "lockfile", "both"),
    kmsKeyArn: string(
      isKmsKeyArn,
      'is not the ARN of a KMS key: write "arn:aws:kms:<region>:<account>:key/<id>", not an alias',
    ),
    keyPrefix: string(
      /^((?!\.\.?\/)[\w.-]+\/)*$/,
      'is not a key prefix: folders of letters, digits and _.-, ending with "/" and not beginning with it, e.g. "platform/"',
      repairPrefix,
    ),
    region,
    keepOldVersionsDays: v.lazy(
      (days): Schema<number | "forever"> =>
        typeof days === "string" ? oneOf("forever") : wholeNumber(1, 36_500, 'days, or "forever",'),
    ),
  },
);

const environment = object<EnvironmentInput>(
  {
    accountId: string(
      ACCOUNT_ID,
      'is not an AWS account ID: write its 12 digits in quotes, e.g. "123456789012"',
      repairAccount,
    ),
    region,
    state,
    roles: byName(string(ROLE_NAME, "is not a role name: 1–64 letters, digits and _+=,.@-", repairName), role),
  },
  {
    oidcProvider: oneOf("create", "existing"),
    permissionsBoundary: policyOr<BoundaryBuilder>(),
    quotas: object<QuotasInput>(
      {},
      {
        trustPolicySize: quota("trustPolicySize", "characters"),
        managedPoliciesPerRole: quota("managedPoliciesPerRole", "policies"),
        rolesPerAccount: quota("rolesPerAccount", "roles"),
      },
    ),
  },
);

const audience = inTrustPolicy(/^[^\p{Cc}\s]{1,255}$/u, "is not an audience: 1–255 characters without white space");

const testJob: Schema<TestJob> = v.pipe(
  object<TestJob>(
    { project },
    { repository, branch: refName("branch", "name"), tag: refName("tag", "name"), user: id("a user ID"), audience },
  ),
  v.check(({ repository, branch, tag }) => {
    const refs = [branch, tag].filter((ref) => ref !== undefined).length;
    return refs === (repository === undefined ? 0 : 1);
  }, "must have a repository and one branch or tag, or none of the three for a job that has only a V1 token"),
);

// checks.ts verifies that it matches a role.
const rolePattern = string(/^/, "") as Schema<RolePattern>;

const trustTest = object<TrustTest>(
  { job: testJob, admitted: listOf(rolePattern) },
  {
    name: string(/^[^\p{Cc}]+$/u, "is not the name of a test: write one line without control characters"),
    refused: listOf(rolePattern),
  },
);

/** The form of every field. checks.ts compares fields with each other and with the quotas of AWS. */
export const configSchema = object<ConfigInput>(
  {
    circleci: object<CircleCiInput>(
      { organizationId: id("an organization ID") },
      {
        audiences: listOf(audience, "must contain at least one audience: remove it to accept CircleCI's default"),
        thumbprints: listOf(string(/^[0-9a-f]{40}$/i, "is not a SHA-1 thumbprint: 40 hex digits, without colons")),
        server: host,
      },
    ),
    environments: byName(
      string(
        /^[a-z][a-z0-9_-]{0,59}$/,
        "is not an environment name: up to 60 lower-case letters, digits, - and _, beginning with a letter",
        repairName,
      ),
      environment,
      "must contain at least one environment",
    ),
  },
  { tags, trustTests: listOf(trustTest) },
);
