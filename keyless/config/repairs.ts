/** Likely intended values for a value that is refused. The schema suggests the first one that it accepts. */
export type Repair = (value: string) => readonly string[];

const UUID_IN_TEXT = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
const PROVIDERS: { readonly [slug: string]: string } = {
  gh: "github.com",
  github: "github.com",
  bb: "bitbucket.org",
  bitbucket: "bitbucket.org",
};

/** White space and quotes around a value, and upper case: repaired in every field. */
export const repairText: Repair = (value) => {
  const inner = value.trim().replace(/^(["'`])(.*)\1$/s, "$2");
  return [inner, inner.toLowerCase()];
};

/** An id in a URL or a subject. */
export const repairId: Repair = (value) => [UUID_IN_TEXT.exec(value)?.[0].toLowerCase() ?? ""];

/** An account ID with separators, or in an ARN. */
export const repairAccount: Repair = (value) => [value.replace(/[\s-]/g, ""), value.split(":")[4] ?? ""];

/** An Availability Zone, or underscores. */
export const repairRegion: Repair = (value) => [
  value
    .toLowerCase()
    .replace(/_/g, "-")
    .replace(/(\d)[a-f]$/, "$1"),
];

/** A bucket as an ARN or a URL, or with underscores. */
export const repairBucket: Repair = (value) => {
  const name = value
    .replace(/^arn:[^:]*:s3:::/, "")
    .replace(/^(s3|https?):\/\//, "")
    .replace(/\/.*$/s, "")
    .replace(/\.s3[.-].*amazonaws\.com(\.cn)?$/, "");
  return [name, name.toLowerCase().replace(/[_\s]/g, "-")];
};

/** A name in an ARN, or a name with spaces. */
export const repairName: Repair = (value) => [
  ...(value.startsWith("arn:") ? [value.slice(value.lastIndexOf("/") + 1)] : []),
  value.trim().replace(/[\s/]+/g, "-"),
];

export const repairHost: Repair = (value) => [
  value
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/[/:].*$/s, "")
    .toLowerCase(),
];

/** A repository as a URL for git or a browser, as CircleCI's slug, or without its host. */
export const repairRepository: Repair = (value) => {
  const plain = value
    .trim()
    .replace(/^(https?|ssh|git):\/\//, "")
    .replace(/^[^@/]+@/, "")
    .replace(/^([a-z0-9.-]+):(?!\d)/i, "$1/")
    .replace(/\/$/, "")
    .replace(/\.git$/, "")
    .replace(/\/(tree|blob|pull|commits)\/.*$/s, "");
  const [first = "", ...rest] = plain.split("/");
  return [plain, [PROVIDERS[first] ?? first, ...rest].join("/"), `github.com/${plain}`];
};

export const repairRef: Repair = (value) => [value.replace(/^refs\/(heads|tags)\//, "").replace(/^\/|\/$/g, "")];

/** The name of an AWS managed policy. */
export const repairPolicyArn: Repair = (value) => [
  `arn:aws:iam::aws:policy/${value.replace(/^(arn:.*:)?policy\//, "")}`,
];

/** Slashes at the wrong ends of a path or prefix. */
export const repairPath: Repair = (value) => [`/${value.replace(/^\/+|\/+$/g, "")}/`];
export const repairPrefix: Repair = (value) => [`${value.replace(/^\/+|\/+$/g, "")}/`];

/** A bucket or an object as a name or a URL. */
export const repairResource: Repair = (value) => [
  ...(/^s3:\/\//.test(value) ? [`arn:aws:s3:::${value.slice("s3://".length)}`] : []),
];
