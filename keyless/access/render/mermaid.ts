import { limitItems } from "../../text";
import { describeCapability } from "../capabilities";
import { graphOf, type RoleGroup, type Tone } from "../graph";
import { describeSourceRef, type EnvironmentAccess, type RoleAccess, type Source } from "../matrix";
import { roleNotes, sourceNotes } from "./notes";

const MAX_LABEL_LINES = 8;

/**
 * The graph in Mermaid, for Markdown files. GitHub draws at most 500 edges.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function accessMermaid(access: readonly EnvironmentAccess[]): string {
  const lines = [
    "flowchart LR",
    // Mermaid draws the last subgraph on top.
    ...access
      .map((environment, index) => subgraphLines(environment, `e${index}`))
      .reverse()
      .flat(),
    "classDef caution fill:#fff5e6,stroke:#b45f06,color:#1b2430",
    "classDef danger fill:#fdeef0,stroke:#c5162e,stroke-width:2px,color:#1b2430",
  ];
  return `${lines.join("\n")}\n`;
}

function subgraphLines(environment: EnvironmentAccess, id: string): string[] {
  const { projects, groups, tones } = graphOf(environment);
  const sources = projects.flatMap((project) => project.sources);
  const sourceId = new Map(sources.map((source, index) => [source, `${id}s${index}`]));
  return [
    `subgraph ${id}["${escapeMermaid(`${environment.name}: AWS account ${environment.accountId}`)}"]`,
    "direction LR",
    ...sources.map((source) => `${sourceId.get(source)}["${sourceText(source)}"]${nodeClass(tones.get(source))}`),
    ...groups.flatMap((group, index) => [
      `${id}r${index}(["${roleText(group)}"])${nodeClass(group.tone)}`,
      `${id}c${index}["${permissionText(group.representative)}"]${nodeClass(group.permissionTone)}`,
      ...group.sources.map((source) => `${sourceId.get(source)} --> ${id}r${index}`),
      `${id}r${index} --> ${id}c${index}`,
    ]),
    "end",
  ];
}

function sourceText(source: Source): string {
  const { project, repository, refs } = source;
  const { warnings, limits } = sourceNotes(source);
  const lines = limitItems(refs.map(describeSourceRef), MAX_LABEL_LINES, String);
  return textOf([repository ?? `project ${project}`, ...lines, ...warnings, ...limits]);
}

function roleText({ roles }: RoleGroup): string {
  return textOf(
    limitItems(
      roles.map(({ name }) => name),
      MAX_LABEL_LINES,
      String,
    ),
  );
}

function permissionText(role: RoleAccess): string {
  const { limits } = roleNotes(role);
  const policies = limitItems(role.capabilities.map(describeCapability), MAX_LABEL_LINES, String);
  return textOf([...(role.level === "administrator" ? ["ADMINISTRATOR"] : []), ...policies, ...limits]);
}

function nodeClass(tone: Tone = "plain"): string {
  return tone === "plain" ? "" : `:::${tone}`;
}

function textOf(lines: readonly string[]): string {
  return lines.map(escapeMermaid).join("<br/>");
}

/** Text for a quoted label. Characters that Mermaid or HTML can interpret are replaced by character references. */
export function escapeMermaid(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./:,()@=+_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
