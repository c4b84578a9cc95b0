import { structuredPatch } from "diff";
import type { ResourceChange } from "./schema";
import { Hidden, isMap, isUnknown, parseJson, same, sortedLists, type Value } from "./value";

/** One line of an attribute's difference: unchanged, removed or added. */
export interface DiffLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Lines of context around a difference. */
const CONTEXT = 2;
/** With more differing lines, all lines of the value before precede all lines of the value after. */
const MAX_EDITS = 1_000;

/** The differences of a change, attribute by attribute; JSON in strings is compared as JSON. */
export function attributeLines(change: Pick<ResourceChange, "before" | "after" | "replacePaths">): DiffLine[] {
  const { before, after, replacePaths } = change;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const unknown: string[] = [];
  const lines = names.flatMap((name) => {
    const [was, is] = [before?.[name] ?? null, after?.[name] ?? null];
    if (was === null && isUnknown(is)) unknown.push(name);
    else if (!same(was, is) && !(isEmpty(was) && isEmpty(is))) {
      const forces = replacePaths.some(([attribute]) => attribute === name);
      return difference(forces ? `${name} (forces replacement)` : name, was, is);
    }
    return [];
  });
  return unknown.length === 0 ? lines : [...lines, { sign: "+", text: `known after apply: ${unknown.join(", ")}` }];
}

/** Whether a value is null, an empty list or an empty map: providers do not distinguish these. */
function isEmpty(value: Value): boolean {
  return value === null || (typeof value === "object" && !(value instanceof Hidden) && Object.keys(value).length === 0);
}

/** The difference between two values of one name. */
export function difference(name: string, before: Value, after: Value): DiffLine[] {
  const textLines = (value: Value) => (value === null ? [] : format(value).split("\n"));
  const [was, is] = [textLines(before), textLines(after)];
  if (was.join("\n") === is.join("\n")) return [{ sign: " ", text: `${name}: equivalent` }];
  if (was.length <= 1 && is.length <= 1) {
    return [
      ...was.map((text): DiffLine => ({ sign: "-", text: `${name} = ${text}` })),
      ...is.map((text): DiffLine => ({ sign: "+", text: `${name} = ${text}` })),
    ];
  }
  return [
    { sign: " ", text: `${name} =` },
    ...changedLines(was, is).map(({ sign, text }) => ({ sign, text: `  ${text}` })),
  ];
}

/** The lines that differ, with their context. */
function changedLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const [was = "", is = ""] = [before, after].map((lines) => lines.map((line) => `${line}\n`).join(""));
  const options = { context: CONTEXT, maxEditLength: MAX_EDITS };
  const hunks = structuredPatch("", "", was, is, undefined, undefined, options)?.hunks;
  if (hunks === undefined) {
    return [
      ...before.map((text): DiffLine => ({ sign: "-", text })),
      ...after.map((text): DiffLine => ({ sign: "+", text })),
    ];
  }
  const omitted: DiffLine = { sign: " ", text: "…" };
  return hunks.flatMap(({ lines, oldStart, oldLines }, index) => [
    ...(oldStart > 1 ? [omitted] : []),
    ...lines.map((line) => ({ sign: line.charAt(0) as DiffLine["sign"], text: line.slice(1) })),
    ...(index === hunks.length - 1 && oldStart + oldLines <= before.length ? [omitted] : []),
  ]);
}

/**
 * A value as lines of text with sorted keys. There are no commas: adding an element does not change the line before it.
 * JSON in strings is laid out.
 *
 * @param exact distinguish everything that a plan distinguishes. Default: the lists of policies are sorted, and JSON in
 * a string looks like the same value outside a string.
 */
export function format(value: Value, exact = false, indent = ""): string {
  if (value instanceof Hidden) return value.visible === undefined ? value.text : format(value.visible, exact, indent);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((each) => `${inner}${format(each, exact, inner)}`).join("\n")}\n${indent}]`;
  }
  if (isMap(value)) {
    const keys = Object.keys(value).sort();
    if (keys.length === 0) return "{}";
    const lines = keys.map((key) => `${inner}${JSON.stringify(key)}: ${format(value[key] as Value, exact, inner)}`);
    return `{\n${lines.join("\n")}\n${indent}}`;
  }
  const json = typeof value === "string" && /^\s*[[{]/.test(value) ? parseJson(value) : undefined;
  if (typeof json !== "object" || json === null) return JSON.stringify(value);
  if (exact) return `jsonencode(${format(json as Value, exact, indent)})`;
  return format((isMap(json) && "Statement" in json ? sortedLists(json) : json) as Value, exact, indent);
}
