import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import { count, limitItems } from "../../text";
import { wrap } from "../../wrap";
import { describeCapability, type Level } from "../capabilities";
import { graphOf, type Project, projectKey, type RoleGroup, type Tone, toneOf } from "../graph";
import { describeSourceRef, type EnvironmentAccess, type Source, type SourceRef } from "../matrix";
import { roleNotes, sourceNotes } from "./notes";

/** A rectangle, in pixels from the drawing's upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line of a card, truncated to the width of the card. */
export interface Line {
  readonly style: "name" | "strong" | "note" | "id" | "warning";
  readonly text: string;
  /** Shown before the text: `branch`. */
  readonly label?: string;
  /** The level that a dot before the line shows. */
  readonly level?: Level;
}

export interface Card extends Box {
  readonly lines: readonly Line[];
  readonly tone: Tone;
  /** Pixels before each line, for the dots. */
  readonly indent: number;
  /** All lines of the card, not truncated. */
  readonly tooltip: string;
}

/** A connection from the right side of one card to the left side of another one. */
export interface Edge {
  readonly from: Card;
  readonly to: Card;
  readonly tone: Tone;
}

/** One environment. */
export interface Panel extends Box {
  readonly title: string;
  readonly subtitle: string;
  readonly cards: readonly Card[];
  readonly edges: readonly Edge[];
}

/** The four columns. Their headings form a sentence. */
export const COLUMNS = [
  { heading: "A job of this project", x: 44, width: 270 },
  { heading: "on one of these refs", x: 362, width: 222 },
  { heading: "can assume this role", x: 632, width: 258 },
  { heading: "and may do this", x: 938, width: 290 },
] as const;

export const LINE_HEIGHT = 18;
export const CARD_PADDING = { x: 12, y: 9 };
/** The height of the title and column headings of a panel. */
export const PANEL_HEAD = 92;
/** The width of a character of the monospaced font in pixels, rounded up: at a font size of 12 pixels, and of 11 for ids. */
const CHARACTER = { text: 7.3, id: 6.7 };
/** The width of a dot. */
const DOT = 15;
const CAPABILITY_WIDTH = Math.floor((COLUMNS[3].width - 2 * CARD_PADDING.x - DOT) / CHARACTER.text);
const MARGIN = 24;
const PANEL_PADDING = 20;
const RIGHT = COLUMNS[3].x + COLUMNS[3].width + PANEL_PADDING;
const HEAD = 128;
const GAP = 12;
const MAX_CARD_LINES = 6;

/** Computes the position of every card: a row for each group of roles, with its sources and projects to the left. */
export function layOut(access: readonly EnvironmentAccess[]) {
  let y = HEAD;
  const panels = access.map((environment) => {
    const panel = layOutPanel(environment, y);
    y += panel.height + MARGIN;
    return panel;
  });
  return { width: RIGHT + MARGIN, height: y, panels };
}

function layOutPanel(environment: EnvironmentAccess, y: number): Panel {
  const { projects, groups, tones } = graphOf(environment);
  const top = y + PANEL_HEAD;
  const refsOf = (source: Source) => refsCard(source, tones.get(source));
  const rows = placeRows(groups, refsOf, top);
  const rolesOf = (source: Source) =>
    rows.filter(({ group }) => group.sources.includes(source)).map(({ role }) => role);
  const sources = projects.flatMap((project) => project.sources);
  const refs = stack(sources, refsOf, rolesOf, top);
  const cardsOf = (sources: readonly Source[]) => sources.flatMap((source) => refs.get(source) ?? []);
  const projectCards = stack(projects, projectCard, (project) => cardsOf(project.sources), top);
  const cards = [...projectCards.values(), ...refs.values(), ...rows.flatMap(({ role, may }) => [role, may])];
  const edges = [
    ...[...projectCards].flatMap(([{ sources }, from]) => cardsOf(sources).map((to) => ({ from, to, tone: to.tone }))),
    ...rows.flatMap(({ group, role, may }) => [
      ...group.sources.flatMap((source) =>
        cardsOf([source]).map((from) => ({ from, to: role, tone: toneOf(source, group.representative) })),
      ),
      { from: role, to: may, tone: role.tone },
    ]),
  ];
  const bottom = Math.max(top, ...cards.map((card) => card.y + card.height)) + PANEL_PADDING;
  return {
    x: MARGIN,
    y,
    width: RIGHT - MARGIN,
    height: bottom - y,
    title: cliTruncate(environment.name, 60, { position: "middle" }),
    subtitle: `AWS account ${environment.accountId} · ${environment.region} · ${count(environment.roles.length, "role")}`,
    cards,
    edges,
  };
}

/** One row for each group of roles, high enough for the cards that first occur beside it in the columns to the left. */
function placeRows(groups: readonly RoleGroup[], refsOf: (source: Source) => Card, top: number) {
  const seen = new Set<string | Source>();
  const isNew = (item: string | Source) => !seen.has(item) && seen.add(item).has(item);
  let y = top;
  return groups.map((group) => {
    const [role, may] = [roleCard(group), permissionsCard(group)];
    const refs = group.sources.filter(isNew).map(refsOf);
    const projects = group.sources.filter((source) => isNew(projectKey(source))).map(projectCard);
    const height = Math.max(role.height, may.height);
    const room = Math.max(height, stackedHeight(refs), stackedHeight(projects));
    const place = { y: y + (room - height) / 2, height };
    y += room + GAP;
    return { group, role: { ...role, ...place }, may: { ...may, ...place } };
  });
}

function stackedHeight(cards: readonly Card[]): number {
  return cards.reduce((sum, { height }) => sum + height + GAP, -GAP);
}

function projectCard({ project, repository }: Omit<Project, "sources">): Card {
  const lines = [...linesOf("strong", repository === undefined ? [] : [repository]), ...linesOf("id", [project])];
  return card(0, lines, "plain", [repository ?? "repository not named", `project ${project}`]);
}

function refsCard(source: Source, tone: Tone = "plain"): Card {
  const { refs, users = [] } = source;
  const { warnings, limits } = sourceNotes(source);
  return card(
    1,
    [
      ...limitItems(refs.map(refLine), MAX_CARD_LINES, toNote),
      ...linesOf("warning", warnings),
      ...linesOf("note", limits),
    ],
    tone,
    [...refs.map(describeSourceRef), ...warnings, ...limits, ...users],
  );
}

function refLine(ref: SourceRef): Line {
  if (ref.kind === "subject") return { style: "name", label: ref.kind, text: ref.pattern };
  if (ref.kind === "any" || ref.name === "*") return { style: "name", text: describeSourceRef(ref) };
  return { style: "name", label: ref.kind, text: ref.name };
}

function roleCard({ roles, representative, tone }: RoleGroup): Card {
  const heading = roles.length === 1 ? [] : [`each of ${roles.length} roles`];
  const names = roles.map(({ name }) => name);
  return card(2, [...linesOf("note", heading), ...limitItems(linesOf("strong", names), MAX_CARD_LINES, toNote)], tone, [
    ...roles.map(({ arn }) => arn),
    ...roleNotes(representative).warnings,
  ]);
}

function permissionsCard({ representative, permissionTone }: RoleGroup): Card {
  const { capabilities, level } = representative;
  const { limits } = roleNotes(representative);
  const warnings = level === "administrator" ? ["ADMINISTRATOR"] : [];
  const policies = capabilities.flatMap(({ policy, services, level }): Line[] => [
    { style: "name", text: policy, level },
    ...linesOf("note", wrap(services.join(", "), CAPABILITY_WIDTH).split("\n")),
  ]);
  return card(
    3,
    [...linesOf("warning", warnings), ...limitItems(policies, 2 * MAX_CARD_LINES, toNote), ...linesOf("note", limits)],
    permissionTone,
    [...warnings, ...capabilities.map(describeCapability), ...limits],
  );
}

function toNote(text: string): Line {
  return { style: "note", text };
}

function linesOf(style: Line["style"], texts: readonly string[]): Line[] {
  return texts.map((text) => ({ style, text }));
}

/** A card of a column, at the top of the drawing. */
function card(column: 0 | 1 | 2 | 3, lines: readonly Line[], tone: Tone, tooltip: readonly string[]): Card {
  const { x, width } = COLUMNS[column];
  const indent = column === 3 ? DOT : 0;
  const truncate = (line: Line) => {
    const cell = line.style === "id" ? CHARACTER.id : CHARACTER.text;
    const room = Math.floor((width - 2 * CARD_PADDING.x - indent) / cell);
    const label = line.label === undefined ? "" : `${line.label} `;
    return { ...line, text: cliTruncate(line.text, room - stringWidth(label), { position: "middle" }) };
  };
  const height = lines.length * LINE_HEIGHT + 2 * CARD_PADDING.y;
  return { x, y: 0, width, height, tone, indent, lines: lines.map(truncate), tooltip: tooltip.join("\n") };
}

/** Places cards below each other, each as close as possible to the middle of the cards beside it. */
function stack<T>(
  items: readonly T[],
  cardOf: (item: T) => Card,
  besideOf: (item: T) => readonly Card[],
  top: number,
): Map<T, Card> {
  let free = top;
  return new Map(
    items.map((item) => {
      const [card, beside] = [cardOf(item), besideOf(item)];
      const middle = beside.reduce((sum, it) => sum + it.y + it.height / 2, 0) / beside.length;
      const y = Math.max(free, middle - card.height / 2);
      free = y + card.height + GAP;
      return [item, { ...card, y }];
    }),
  );
}
