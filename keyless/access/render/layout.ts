import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { count, limitItems } from "../../text";
import { inWords, type Level } from "../capabilities";
import { type Grant, graphOf, type Project, type Tone, toneOf, worst } from "../graph";
import type { EnvironmentAccess, Source } from "../matrix";

/** A rectangle, in pixels from the drawing's upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line of a card; what is too long for the card has been cut already. */
export interface Line {
  readonly style: "name" | "strong" | "note" | "id" | "warning";
  readonly text: string;
  /** A word before the text: `branch`. */
  readonly label?: string;
  /** Marks what the line allows. */
  readonly level?: Level;
}

export interface Card extends Box {
  readonly lines: readonly Line[];
  readonly tone: Tone;
  /** Pixels before each line, for the marks of levels. */
  readonly indent: number;
  /** All that the card stands for, uncut. */
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

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly panels: readonly Panel[];
}

/** The four columns, read from left to right as a sentence. */
export const COLUMNS = [
  { heading: "A job of this project", x: 44, width: 270 },
  { heading: "on one of these refs", x: 362, width: 222 },
  { heading: "can assume this role", x: 632, width: 258 },
  { heading: "and may do this", x: 938, width: 290 },
] as const;

export const LINE_HEIGHT = 18;
export const CARD_PADDING = { x: 12, y: 9 };
/** From the top of a panel to its first card: title and column headings. */
export const PANEL_HEAD = 92;
/** The width of one cell of the monospaced font at its size of 12 pixels, and at that of ids, 11 pixels, rounded up. */
const CELL = { text: 7.3, id: 6.7 };
/** What the mark of a level takes. */
const MARK = 15;
const CAPABILITY_CELLS = Math.floor((COLUMNS[3].width - 2 * CARD_PADDING.x - MARK) / CELL.text);
const MARGIN = 24;
const PANEL_PADDING = 20;
const RIGHT = COLUMNS[3].x + COLUMNS[3].width + PANEL_PADDING;
const HEAD = 128;
const GAP = 12;
const MAX_LINES = 6;

type Column = 0 | 1 | 2 | 3;

/** A card that has no place yet. */
type Unplaced = Omit<Card, keyof Box> & { readonly column: Column };

/** Places every card: roles in rows, in order of where they are assumed from, and what leads to them beside them. */
export function layOut(access: readonly EnvironmentAccess[]): Drawing {
  let y = HEAD;
  const panels = access.map((environment) => {
    const panel = layOutPanel(environment, y);
    y += panel.height + MARGIN;
    return panel;
  });
  return { width: RIGHT + MARGIN, height: y, panels };
}

function layOutPanel(environment: EnvironmentAccess, y: number): Panel {
  const { projects, grants } = graphOf(environment);
  const top = y + PANEL_HEAD;
  const rows = placeRows(grants, top);
  const refs = new Map(
    stack(
      projects
        .flatMap(({ sources }) => sources)
        .map((source) => ({
          item: source,
          card: refsCard(source, grants),
          beside: rows.filter(({ grant }) => grant.sources.includes(source)).map(({ role }) => role),
        })),
      top,
    ),
  );
  const cardsOf = (sources: readonly Source[]) => sources.flatMap((source) => refs.get(source) ?? []);
  const projectCards = stack(
    projects.map((project) => ({ item: project, card: projectCard(project), beside: cardsOf(project.sources) })),
    top,
  );
  const cards = [
    ...projectCards.map(([, card]) => card),
    ...refs.values(),
    ...rows.flatMap(({ role, may }) => [role, may]),
  ];
  const edges = [
    ...projectCards.flatMap(([{ sources }, from]) => cardsOf(sources).map((to) => ({ from, to, tone: to.tone }))),
    ...rows.flatMap(({ grant, role, may }) => [
      ...grant.sources.flatMap((source) =>
        cardsOf([source]).map((from) => ({ from, to: role, tone: toneOf(source, grant.like) })),
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

interface Row {
  readonly grant: Grant;
  readonly role: Card;
  readonly may: Card;
}

/** Rows of a role and what it may do; each leaves room for what stands first beside it in the columns to its left. */
function placeRows(grants: readonly Grant[], top: number): Row[] {
  const seen = new Set<string | Source>();
  const isNew = (item: string | Source) => !seen.has(item) && seen.add(item).has(item);
  let y = top;
  return grants.map((grant) => {
    const [role, may] = [roleCard(grant), capabilitiesCard(grant)];
    const height = Math.max(heightOf(role), heightOf(may));
    const refs = grant.sources.filter(isNew).map((source) => refsCard(source, grants));
    const projects = grant.sources
      .filter(({ project, repository }) => isNew(`${project} ${repository}`))
      .map(projectCard);
    const room = Math.max(height, stackedHeight(refs), stackedHeight(projects));
    const middle = y + (room - height) / 2;
    y += room + GAP;
    return { grant, role: place(role, middle, height), may: place(may, middle, height) };
  });
}

function stackedHeight(cards: readonly Unplaced[]): number {
  return cards.reduce((sum, card) => sum + heightOf(card) + GAP, -GAP);
}

function projectCard({ project, repository }: Omit<Project, "sources">): Unplaced {
  const lines: Line[] =
    repository === undefined
      ? [{ style: "id", text: project }]
      : [
          { style: "strong", text: repository },
          { style: "id", text: project },
        ];
  return card(0, lines, "plain", [repository ?? "repository not named", `project ${project}`]);
}

function refsCard(source: Source, grants: readonly Grant[]): Unplaced {
  const { refs, open, users } = source;
  const names = refs.map((ref): Line => {
    const [, label, text] = /^(branch|tag|subject) (.*)$/s.exec(ref) ?? [];
    return label === undefined || text === undefined ? { style: "name", text: ref } : { style: "name", label, text };
  });
  const warnings = open ? ["anyone with push access"] : [];
  const limits = users === undefined ? [] : [`only if started by ${count(users.length, "user")}`];
  const tones = grants.filter(({ sources }) => sources.includes(source)).map(({ like }) => toneOf(source, like));
  return card(
    1,
    [...limitItems(names, MAX_LINES, toNote), ...linesOf("warning", warnings), ...linesOf("note", limits)],
    open ? worst(tones) : "plain",
    [...refs, ...warnings, ...limits, ...(users ?? [])],
  );
}

function roleCard({ roles, like }: Grant): Unplaced {
  const heading = roles.length === 1 ? [] : [`each of ${roles.length} roles`];
  const names = roles.map(({ name }) => name);
  return card(
    2,
    [...linesOf("note", heading), ...limitItems(linesOf("strong", names), MAX_LINES, toNote)],
    worst(like.sources.map((source) => toneOf(source, like))),
    [...roles.map(({ arn }) => arn), ...like.dangers],
  );
}

function capabilitiesCard({ like }: Grant): Unplaced {
  const { capabilities, boundary, level } = like;
  const warnings = level === "administrator" ? ["ADMINISTRATOR"] : [];
  const limits = boundary === undefined ? [] : [`never more than ${boundary} allows`];
  const policies = capabilities.flatMap(({ policy, services, level }): Line[] => [
    { style: "name", text: policy, level },
    ...linesOf("note", wrapAnsi(services.join(", "), CAPABILITY_CELLS).split("\n")),
  ]);
  const nothing = policies.length === 0 ? ["nothing: it has no policy"] : [];
  return card(
    3,
    [
      ...linesOf("warning", warnings),
      ...limitItems(policies, 2 * MAX_LINES, toNote),
      ...linesOf("note", [...nothing, ...limits]),
    ],
    level === "administrator" ? "danger" : "plain",
    [...warnings, ...capabilities.map(inWords), ...nothing, ...limits],
  );
}

function toNote(text: string): Line {
  return { style: "note", text };
}

function linesOf(style: Line["style"], texts: readonly string[]): Line[] {
  return texts.map((text) => ({ style, text }));
}

function card(column: Column, lines: readonly Line[], tone: Tone, said: readonly string[]): Unplaced {
  const indent = column === 3 ? MARK : 0;
  const cut = (line: Line) => {
    const cell = line.style === "id" ? CELL.id : CELL.text;
    const room = Math.floor((COLUMNS[column].width - 2 * CARD_PADDING.x - indent) / cell);
    const label = line.label === undefined ? "" : `${line.label} `;
    return { ...line, text: cliTruncate(line.text, room - stringWidth(label), { position: "middle" }) };
  };
  return { column, tone, indent, lines: lines.map(cut), tooltip: said.join("\n") };
}

function heightOf({ lines }: Unplaced): number {
  return lines.length * LINE_HEIGHT + 2 * CARD_PADDING.y;
}

function place({ column, ...card }: Unplaced, y: number, height: number): Card {
  return { ...card, x: COLUMNS[column].x, y, width: COLUMNS[column].width, height };
}

/** Puts cards below each other, each as near as it gets to the middle of the cards that it belongs beside. */
function stack<T>(cards: readonly { item: T; card: Unplaced; beside: readonly Card[] }[], top: number): [T, Card][] {
  let free = top;
  return cards.map(({ item, card, beside }) => {
    const height = heightOf(card);
    const middle = beside.reduce((sum, it) => sum + it.y + it.height / 2, 0) / beside.length;
    const y = Math.max(free, middle - height / 2);
    free = y + height + GAP;
    return [item, place(card, y, height)];
  });
}
