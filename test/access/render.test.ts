// @duration 15
import stringWidth from "string-width";
import { accessMatrix, type EnvironmentAccess } from "../../keyless/access/matrix";
import {
  type Box,
  CARD_PADDING,
  type Card,
  COLUMNS,
  LINE_HEIGHT,
  layOut,
  PANEL_HEAD,
} from "../../keyless/access/render/layout";
import { accessMermaid, escapeMermaid } from "../../keyless/access/render/mermaid";
import { accessSvg } from "../../keyless/access/render/svg";
import { accessTable } from "../../keyless/access/render/table";
import { configOf, manyRoles, PROJECT, policy, SITE } from "./configurations";

const few = accessMatrix(
  configOf({
    dev: {
      publisher: { trust: [{ ...SITE, branches: ["main"] }], inlinePolicies: { publish: policy("s3:PutObject") } },
      reader: {
        trust: [{ project: PROJECT, refs: "any" }],
        managedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
      },
      chief: {
        trust: [{ ...SITE, tags: ["v*"] }],
        managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"],
        permissionsBoundaryArn: "arn:aws:iam::123456789010:policy/ci-boundary",
      },
    },
  }),
);
const many = accessMatrix(configOf({ dev: manyRoles(100), prod: manyRoles(100) }));
const one: EnvironmentAccess[] = accessMatrix(
  configOf({ dev: { bare: { trust: [{ ...SITE, branches: ["main"] }] } } }),
);
const hostileBranches = ['x"]-->y', "<b>&amp;</b>", "a;click", "`#35;`", "größe<ÿ", "']]>"];
const hostile = accessMatrix(
  configOf({
    dev: { "end=.@": { trust: [{ ...SITE, branches: hostileBranches }], inlinePolicies: { "--": policy("*") } } },
  }),
);

const drawings: [string, ReturnType<typeof layOut>][] = [
  ["one role", layOut(one)],
  ["3 roles", layOut(few)],
  ["200 roles", layOut(many)],
  ["hostile names", layOut(hostile)],
  ["no environment", layOut([])],
];

function overlap(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

function overlapping(boxes: readonly Box[]): Box[][] {
  return boxes.flatMap((box, index) =>
    boxes.slice(index + 1).flatMap((other) => (overlap(box, other) ? [[box, other]] : [])),
  );
}

function within(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

// The minimum width of a line: a character of the monospaced fonts is 0.6 em wide.
function widthOf({ text, label, style }: Card["lines"][number]): number {
  return stringWidth(label === undefined ? text : `${label} ${text}`) * (style === "id" ? 11 : 12) * 0.6;
}

describe.each(drawings)("the drawing of %s", (_name, drawing) => {
  const cards = drawing.panels.flatMap((panel) => panel.cards);

  test("has no overlapping cards or panels", () => {
    expect(overlapping(cards)).toEqual([]);
    expect(overlapping(drawing.panels)).toEqual([]);
  });

  test("has every card below the headings of its panel, and every panel within the image", () => {
    for (const panel of drawing.panels) {
      const body = { ...panel, y: panel.y + PANEL_HEAD, height: panel.height - PANEL_HEAD };
      expect(panel.cards.filter((card) => !within(card, body))).toEqual([]);
      expect(within(panel, { x: 0, y: 0, width: drawing.width, height: drawing.height })).toBe(true);
    }
  });

  test("has no text outside its card", () => {
    for (const card of cards) {
      const room = card.width - 2 * CARD_PADDING.x - card.indent;
      expect(card.lines.filter((line) => widthOf(line) > room)).toEqual([]);
      expect(card.height).toBeGreaterThanOrEqual(card.lines.length * LINE_HEIGHT + CARD_PADDING.y);
    }
  });

  test("connects neighboring columns only, so that no edge crosses a card", () => {
    const column = ({ x }: Box) => COLUMNS.findIndex((it) => it.x === x);
    for (const { from, to } of drawing.panels.flatMap(({ edges }) => edges)) {
      expect(column(to)).toBe(column(from) + 1);
    }
  });
});

test("every format shows that the project's id is pinned", () => {
  const tooltips = layOut(few).panels.flatMap(({ cards }) => cards.map(({ tooltip }) => tooltip));
  const shown = [accessTable(few, 80), accessMermaid(few), accessSvg(few), ...tooltips];
  expect(shown.filter((text) => text.includes("project-id pinned"))).toHaveLength(4);
});

test("roles that differ only in their names share one card", () => {
  const alike = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`role-${index}`, { trust: [{ ...SITE, branches: ["main"] }] }]),
  );
  const [panel] = layOut(accessMatrix(configOf({ dev: alike }))).panels;
  expect(panel?.cards).toHaveLength(4);
  const text = panel?.cards.flatMap((card) => card.lines.map((line) => line.text)) ?? [];
  expect(text).toEqual(expect.arrayContaining(["each of 40 roles", "role-0", "and 35 more"]));
  expect(panel?.cards.some(({ tooltip }) => tooltip.includes("role/role-39"))).toBe(true);
});

test("marks open sources as caution, and open write access and administrators as danger", () => {
  const [panel] = layOut(few).panels;
  const toneOf = (text: string) => panel?.cards.find((card) => card.lines.some((line) => line.text === text))?.tone;
  expect(toneOf("publisher")).toBe("plain");
  expect(toneOf("reader")).toBe("caution");
  expect(toneOf("chief")).toBe("danger");
  expect(toneOf("ADMINISTRATOR")).toBe("danger");
});

test("the table breaks long names after a separator, and fits the width", () => {
  const table = accessTable(few, 50);
  expect(Math.max(...table.split("\n").map((line) => stringWidth(line)))).toBeLessThanOrEqual(50);
  const cells = table.split("\n").flatMap((line) => line.split("│").map((cell) => cell.trim()));
  expect(cells).toContain("github.com/");
});

describe("the SVG", () => {
  test("has a title and a description for screen readers", () => {
    const svg = accessSvg(few);
    expect(svg).toContain('role="img" aria-labelledby="title summary"');
    expect(svg).toContain('<title id="title">Who can assume which role in AWS</title>');
    expect(svg).toMatch(/<desc id="summary">.*3 roles in 1 environment, 1 of them marked dangerous/);
  });

  test("follows the dark mode of the browser", () => {
    expect(accessSvg(few)).toContain("@media (prefers-color-scheme: dark)");
  });

  test("renders in programs without CSS variables and media queries, and has each color in dark mode", () => {
    const styles = [...accessSvg(few).matchAll(/<style>([^<]*)<\/style>/g)].map(([, style = ""]) => style);
    const [light = "", dark = "", ...others] = styles;
    expect([light, dark].join("")).not.toContain("var(");
    expect(light).not.toContain("@");
    expect(dark).toMatch(/^@media \(prefers-color-scheme: dark\) \{.*\}$/s);
    expect(others).toEqual([]);
    const colored = (style: string) => style.match(/^[^@\n]*(?=\{[^}]*#[0-9a-f]{6})/gm);
    expect(colored(light)).toEqual(colored(dark));
  });

  test("escapes names that contain markup", () => {
    const svg = accessSvg(hostile, '<script>"');
    expect(svg).not.toMatch(/<(b|script)>/);
    expect(svg).toContain("&#60;b&#62;&#38;amp;&#60;/b&#62;");
    const tags = svg.match(/<\/?[a-z]+/g) ?? [];
    const known = ["svg", "title", "desc", "style", "rect", "text", "tspan", "circle", "path", "g"];
    expect(tags.filter((tag) => !known.includes(tag.replace(/<\/?/, "")))).toEqual([]);
  });
});

describe("the Mermaid graph", () => {
  test("connects repository and refs to the role, and the role to its permissions", () => {
    const lines = accessMermaid(few).split("\n");
    expect(lines[0]).toBe("flowchart LR");
    expect(lines).toEqual(
      expect.arrayContaining([
        'subgraph e0["dev: AWS account 123456789010"]',
        'e0s0["github.com/acme/site<br/>branch main"]',
        'e0r0(["publisher"])',
        'e0c0["publish: s3 write"]',
        "e0s0 --> e0r0",
        "e0r0 --> e0c0",
        'e0r2(["chief"]):::danger',
        'e0c2["ADMINISTRATOR<br/>AdministratorAccess<br/>never more than ci-boundary allows"]:::danger',
      ]),
    );
  });

  test("escapes names that contain markup", () => {
    const statement =
      /^(flowchart LR|subgraph \w+\["[^"]*"\]|direction LR|\w+(\["[^"]*"\]|\(\["[^"]*"\]\))(:::\w+)?|\w+ --> \w+|end|classDef .*|)$/;
    expect(
      accessMermaid(hostile)
        .split("\n")
        .filter((line) => !statement.test(line)),
    ).toEqual([]);
    expect(escapeMermaid('"<`#;&\n')).toBe("#34;#60;#96;#35;#59;#38;#10;");
  });
});

describe("the table", () => {
  test("has a row for each role below its environment, with dangers and permissions boundary", () => {
    const table = accessTable(few, 120);
    expect(table).toContain("dev: AWS account 123456789010, us-east-1");
    expect(table).toMatch(
      /│ publisher +│ github\.com\/acme\/site +│ publish: +│\n│ +│ {3}branch main +│ {3}s3 write +│/,
    );
    expect(table).toContain("! ADMINISTRATOR of the account");
    expect(table).toContain("never more than ci-boundary allows");
    expect(table).toContain("! anyone with push access");
  });

  test.each([
    ["few roles", few],
    ["200 roles with long names", many],
    ["hostile names", hostile],
  ])("of %s is no wider than the terminal", (_name, access) => {
    const widths = accessTable(access, 80)
      .split("\n")
      .map((line) => stringWidth(line));
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  test("loses no text when it wraps", () => {
    const characters = (columns: number) => [...accessTable(many, columns)].filter((each) => /\w/.test(each)).length;
    expect(characters(80)).toBe(characters(1000));
  });
});
