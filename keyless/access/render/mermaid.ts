import { count, limitItems } from "../../text";
import { inWords } from "../capabilities";
import { type Grant, graphOf, toneOf, worst } from "../graph";
import type { EnvironmentAccess, RoleAccess, Source } from "../matrix";

const MAX_LINES = 8;

/**
 * The graph for a Markdown file, in Mermaid, which GitHub draws up to 500 lines between boxes.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function accessMermaid(access: readonly EnvironmentAccess[]): string {
  const lines = [
    "flowchart LR",
    // Mermaid draws the last one on top.
    ...access
      .map((environment, index) => environmentLines(environment, `e${index}`))
      .reverse()
      .flat(),
    "classDef caution fill:#fff5e6,stroke:#b45f06,color:#1b2430",
    "classDef danger fill:#fdeef0,stroke:#c5162e,stroke-width:2px,color:#1b2430",
  ];
  return `${lines.join("\n")}\n`;
}

function environmentLines(environment: EnvironmentAccess, id: string): string[] {
  const { projects, grants } = graphOf(environment);
  const sources = projects.flatMap((project) => project.sources);
  const sourceId = new Map(sources.map((source, index) => [source, `${id}s${index}`]));
  return [
    `subgraph ${id}["${escapeMermaid(`${environment.name}: AWS account ${environment.accountId}`)}"]`,
    "direction LR",
    ...sources.map((source) => `${sourceId.get(source)}["${sourceText(source)}"]${sourceClass(source, grants)}`),
    ...grants.flatMap((grant, index) => [
      `${id}r${index}(["${roleText(grant)}"])${grantClass(grant)}`,
      `${id}c${index}["${capabilityText(grant.like)}"]${grant.like.level === "administrator" ? ":::danger" : ""}`,
      ...grant.sources.map((source) => `${sourceId.get(source)} --> ${id}r${index}`),
      `${id}r${index} --> ${id}c${index}`,
    ]),
    "end",
  ];
}

function sourceText({ project, repository, refs, users, open }: Source): string {
  return textOf([
    repository ?? `project ${project}`,
    ...limitItems(refs, MAX_LINES, String),
    ...(open ? ["anyone with push access"] : []),
    ...(users === undefined ? [] : [`only if started by ${count(users.length, "user")}`]),
  ]);
}

function sourceClass(source: Source, grants: readonly Grant[]): string {
  if (!source.open) return "";
  return classOf(grants.filter(({ sources }) => sources.includes(source)).map(({ like }) => toneOf(source, like)));
}

function grantClass({ sources, like }: Grant): string {
  return classOf(sources.map((source) => toneOf(source, like)));
}

function classOf(tones: Parameters<typeof worst>[0]): string {
  const tone = worst(tones);
  return tone === "plain" ? "" : `:::${tone}`;
}

function roleText({ roles }: Grant): string {
  return textOf(
    limitItems(
      roles.map(({ name }) => name),
      MAX_LINES,
      String,
    ),
  );
}

function capabilityText({ capabilities, level, boundary }: RoleAccess): string {
  const policies = capabilities.map(inWords);
  return textOf([
    ...(level === "administrator" ? ["ADMINISTRATOR"] : []),
    ...(policies.length === 0 ? ["nothing: it has no policy"] : limitItems(policies, MAX_LINES, String)),
    ...(boundary === undefined ? [] : [`never more than ${boundary} allows`]),
  ]);
}

function textOf(lines: readonly string[]): string {
  return lines.map(escapeMermaid).join("<br/>");
}

/** Text as it may stand in a quoted label: whatever Mermaid or HTML could read as its own is written as its code. */
export function escapeMermaid(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./:,()@=+_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
