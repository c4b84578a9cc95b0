// `npm run generate:secret-rules -- <gitleaks.json> <version> <commit>`: writes gitleaks.json, see CONTRIBUTING.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../project-folder";
import type { Allowance, Rule } from "./formats";
import { convertRe2 } from "./re2";

/** A rule of gitleaks that is not used, and why. */
const SKIPPED: { readonly [id: string]: string } = {
  "curl-auth-header": "its time grows with the sixth power of the lines; own-rules.json has the header",
  "curl-auth-user": "its time grows with the sixth power of the lines; own-rules.json has the option",
  "private-key": "ends at the next key, not at its own end; own-rules.json has the whole key",
  jwt: "its characters include backslashes; own-rules.json has shorter tokens too",
};

/** A rule as gitleaks writes it. */
interface GitleaksRule {
  readonly id: string;
  readonly regex?: string;
  readonly path?: string;
  readonly entropy?: number;
  readonly secretGroup?: number;
  readonly keywords?: readonly string[];
  readonly allowlists?: readonly GitleaksAllowlist[];
}

interface GitleaksAllowlist {
  readonly condition?: string;
  readonly regexTarget?: string;
  readonly regexes?: readonly string[];
  readonly stopwords?: readonly string[];
  readonly paths?: readonly string[];
}

/** Matches what precedes the name in a rule. It slows every search, and the match is the same without it. */
const PREFIX = "[\\w.-]{0,50}?";

function convertRule(rule: GitleaksRule): Rule {
  const regex = (rule.regex as string).replaceAll(PREFIX, "");
  const allow = (rule.allowlists ?? []).filter(isApplicable).map(convertAllowlist);
  return {
    id: rule.id,
    regex: convertRe2(regex),
    keywords: (rule.keywords ?? []).map((keyword) => keyword.toLowerCase()),
    ...(rule.entropy !== undefined && { entropy: rule.entropy }),
    ...(rule.secretGroup !== undefined && { group: rule.secretGroup }),
    ...(allow.length > 0 && { allow }),
  };
}

/** Allowlists for paths and lines concern files, of which a plan has none. */
function isApplicable({ paths, condition, regexes, stopwords, regexTarget }: GitleaksAllowlist): boolean {
  const isOfFile = regexTarget === "line" || (paths !== undefined && condition?.toUpperCase() === "AND");
  return (regexes ?? stopwords) !== undefined && !isOfFile;
}

function convertAllowlist({ regexTarget, regexes = [], stopwords = [] }: GitleaksAllowlist): Allowance {
  const isMatch = regexTarget === "match";
  // A secret that only contains what is allowed is one: `^true|false|null$` also matches "falsework".
  const converted = regexes.map((regex) => convertRe2(isMatch ? regex : `^(?:${regex})$`));
  return {
    ...(isMatch && { match: true }),
    ...(converted.length > 0 && { regexes: converted }),
    ...(stopwords.length > 0 && { stopwords: stopwords.map((word) => word.toLowerCase()) }),
  };
}

const [file = "", version = "", commit = ""] = process.argv.slice(2);
const { rules, allowlist } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly rules: readonly GitleaksRule[];
  readonly allowlist: GitleaksAllowlist;
};
const used = rules.filter(({ id, regex, path }) => regex !== undefined && path === undefined && !(id in SKIPPED));
const unknown = Object.keys(SKIPPED).filter((id) => !rules.some((rule) => rule.id === id));
if (unknown.length > 0 || !/^v\d/.test(version) || !/^[0-9a-f]{40}$/.test(commit))
  throw new Error(`usage: <gitleaks.json> <version> <commit>; rules that do not exist: ${unknown.join(", ")}`);
const source = {
  name: "gitleaks",
  url: "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml",
  ...{ version, commit, skipped: SKIPPED },
  license: readFileSync(join(projectFolder, "keyless", "secrets", "gitleaks.LICENSE"), "utf8").split("\n"),
};
const lines = used.map((rule) => JSON.stringify(convertRule(rule)));
// Without its stopwords: a secret can contain the alphabet.
const globalAllow = JSON.stringify([convertAllowlist({ ...allowlist, stopwords: [] })]);
writeFileSync(
  join(projectFolder, "keyless", "secrets", "gitleaks.json"),
  `{\n"source": ${JSON.stringify(source)},\n"allow": ${globalAllow},\n"rules": [\n${lines.join(",\n")}\n]\n}\n`,
);
