import cliTruncate from "cli-truncate";
import { count, escapeXml } from "../../text";
import type { EnvironmentAccess } from "../matrix";
import {
  type Box,
  CARD_PADDING,
  type Card,
  COLUMNS,
  type Edge,
  LINE_HEIGHT,
  type Line,
  layOut,
  type Panel,
} from "./layout";

/** The colors of one mode, by what they are for. */
const LIGHT = {
  page: "#f3f5f8",
  panel: "#ffffff",
  card: "#f7f9fb",
  cardEdge: "#d5dce5",
  ink: "#1b2430",
  muted: "#5a6778",
  line: "#9fb0c3",
  read: "#1a7f4b",
  caution: "#b45f06",
  cautionCard: "#fff5e6",
  danger: "#c5162e",
  dangerCard: "#fdeef0",
};

const DARK: typeof LIGHT = {
  page: "#0d1219",
  panel: "#151c26",
  card: "#1d2632",
  cardEdge: "#364354",
  ink: "#e8edf4",
  muted: "#9dabbd",
  line: "#5b6d83",
  read: "#4cc38a",
  caution: "#f0a43c",
  cautionCard: "#33270f",
  danger: "#ff6b7d",
  dangerCard: "#3a1a22",
};

const FONTS = `
text { font-size: 13px; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.title { font-size: 26px; font-weight: 700; letter-spacing: -0.3px; }
.panel-title { font-size: 18px; font-weight: 700; }
.heading { font-size: 12px; font-weight: 600; letter-spacing: 0.2px; }
.name, .strong, .note, .id { font-size: 12px; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.strong { font-weight: 700; }
.id { font-size: 11px; }
.warning { font-size: 12px; font-weight: 700; }
.edge { fill: none; stroke-width: 1.5; }
.edge.danger { stroke-width: 2.25; }
`;

// Without CSS variables, which only browsers support.
function colorRules(colors: typeof LIGHT): string {
  return `
text { fill: ${colors.ink}; }
.heading, .subtitle, .note, .id, .label { fill: ${colors.muted}; }
.page { fill: ${colors.page}; }
.panel { fill: ${colors.panel}; stroke: ${colors.cardEdge}; }
.card rect { fill: ${colors.card}; stroke: ${colors.cardEdge}; }
.card.caution rect { fill: ${colors.cautionCard}; stroke: ${colors.caution}; }
.card.danger rect { fill: ${colors.dangerCard}; stroke: ${colors.danger}; stroke-width: 1.5; }
.head { fill: ${colors.line}; }
.edge { stroke: ${colors.line}; }
.head.caution, .caution .warning, .write { fill: ${colors.caution}; }
.head.danger, .danger .warning, .administrator { fill: ${colors.danger}; }
.edge.caution { stroke: ${colors.caution}; }
.edge.danger { stroke: ${colors.danger}; }
.read { fill: ${colors.read}; }
`;
}

/** The graph as an SVG image, light by default, and dark in a browser's dark mode. Tooltips show the text that was truncated. */
export function accessSvg(access: readonly EnvironmentAccess[], title = "Who can assume which role in AWS"): string {
  const shownTitle = escapeXml(cliTruncate(title, 70, { position: "middle" }));
  const { width, height, panels } = layOut(access);
  const roles = access.flatMap((environment) => environment.roles);
  const dangers = roles.filter((role) => role.dangers.length > 0).length;
  const summary =
    `${count(roles.length, "role")} in ${count(access.length, "environment")}` +
    (dangers === 0 ? ", none of them marked dangerous" : `, ${dangers} of them marked dangerous`);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title summary" width="${width}" height="${round(height)}" viewBox="0 0 ${width} ${round(height)}">`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<desc id="summary">CircleCI jobs and the roles they can assume: ${escapeXml(summary)}.</desc>`,
    `<style>${FONTS}${colorRules(LIGHT)}</style>`,
    // A separate element: programs that do not support media queries ignore it as a whole.
    `<style>@media (prefers-color-scheme: dark) {${colorRules(DARK)}}</style>`,
    '<rect class="page" width="100%" height="100%"/>',
    `<text class="title" x="24" y="50">${shownTitle}</text>`,
    `<text class="subtitle" x="24" y="74">CircleCI jobs, the roles they can assume, and what these may do: ${escapeXml(summary)}</text>`,
    legend(106),
    ...panels.map(drawPanel),
    "</svg>",
  ].join("\n")}\n`;
}

function legend(y: number): string {
  const dot = (level: string, x: number, text: string) =>
    `<circle class="${level}" cx="${x + 5}" cy="${y - 4}" r="4.5"/>${label(x + 17, y, text)}`;
  const line = (tone: string, x: number, text: string) =>
    `<path class="edge ${tone}" d="M${x} ${y - 4}h24"/>${arrowHead(x + 30, y - 4, tone)}${label(x + 40, y, text)}`;
  const entries = [
    dot("read", 24, "reads"),
    dot("write", 92, "may write"),
    dot("administrator", 186, "administrator"),
    line("plain", 318, "only the refs named"),
    line("caution", 512, "anyone with push access"),
    line("danger", 838, "danger: anyone with push access may write, or administrator"),
  ];
  return `<g>${entries.join("")}</g>`;
}

function label(x: number, y: number, text: string): string {
  return `<text class="subtitle" x="${x}" y="${y}">${escapeXml(text)}</text>`;
}

const TONES = ["plain", "caution", "danger"];

function drawPanel(panel: Panel): string {
  const left = COLUMNS[0].x;
  return [
    `<g>${rectangle(panel, 12, ' class="panel"')}`,
    `<text class="panel-title" x="${left}" y="${round(panel.y + 36)}">${escapeXml(panel.title)}</text>`,
    `<text class="subtitle" x="${left}" y="${round(panel.y + 56)}">${escapeXml(panel.subtitle)}</text>`,
    ...COLUMNS.map(({ heading, x }) => `<text class="heading" x="${x}" y="${round(panel.y + 82)}">${heading}</text>`),
    // The dangerous edges last, over the others.
    ...[...panel.edges].sort((a, b) => TONES.indexOf(a.tone) - TONES.indexOf(b.tone)).map(drawEdge),
    ...panel.cards.map(drawCard),
    "</g>",
  ].join("\n");
}

function drawEdge({ from, to, tone }: Edge): string {
  const [x1, y1] = [from.x + from.width, round(from.y + from.height / 2)];
  const [x2, y2] = [to.x - 7, round(to.y + to.height / 2)];
  const bend = round((x2 - x1) / 2);
  return `<path class="edge ${tone}" d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>${arrowHead(x2 + 6, y2, tone)}`;
}

function arrowHead(x: number, y: number, tone: string): string {
  return `<path class="head ${tone}" d="M${x} ${y}l-8 -4.5v9z"/>`;
}

function drawCard(card: Card): string {
  const lines = card.lines.map((line, index) => drawLine(line, card, textTop(card) + index * LINE_HEIGHT));
  return `<g class="card ${card.tone}"><title>${escapeXml(card.tooltip)}</title>${rectangle(card, 7)}${lines.join("")}</g>`;
}

function textTop({ y, height, lines }: Card): number {
  return y + (height - lines.length * LINE_HEIGHT) / 2 + 13;
}

function drawLine(line: Line, card: Card, y: number): string {
  const x = card.x + CARD_PADDING.x;
  const dot =
    line.level === undefined ? "" : `<circle class="${line.level}" cx="${x + 4}" cy="${round(y - 4)}" r="4"/>`;
  const label = line.label === undefined ? "" : `<tspan class="label">${escapeXml(line.label)} </tspan>`;
  return `${dot}<text class="${line.style}" x="${x + card.indent}" y="${round(y)}">${label}${escapeXml(line.text)}</text>`;
}

function rectangle({ x, y, width, height }: Box, radius: number, attributes = ""): string {
  return `<rect${attributes} x="${x}" y="${round(y)}" width="${width}" height="${round(height)}" rx="${radius}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
