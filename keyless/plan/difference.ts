import { structuredPatch } from "diff";
import { ExactNumber } from "../json";
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
const MAX_EDITS = 500;
/** Deeper values are not indented further, and JSON in their strings is not laid out. */
const MAX_DEPTH = 40;

/** The differences of a change, attribute by attribute; JSON in strings is compared as JSON. */
export function attributeLines(change: Pick<ResourceChange, "before" | "after" | "replacePaths">): DiffLine[] {
  const { before, after, replacePaths } = change;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const unknown: string[] = [];
  const lines = names.flatMap((name) => {
    const [was, is] = [attributeOf(before, name), attributeOf(after, name)];
    if (was === null && isUnknown(is)) unknown.push(name);
    else if (!same(was, is) && !(isEmpty(was) && isEmpty(is))) {
      const forces = replacePaths.some(([attribute]) => attribute === name);
      return difference(forces ? `${name} (forces replacement)` : name, was, is);
    }
    return [];
  });
  return unknown.length === 0 ? lines : [...lines, { sign: "+", text: `known after apply: ${unknown.join(", ")}` }];
}

/** Null if it is absent: names such as `constructor` are not looked up in prototypes. */
function attributeOf(attributes: ResourceChange["before"], name: string): Value {
  return (attributes !== null && Object.hasOwn(attributes, name) ? attributes[name] : null) ?? null;
}

/** Whether a value is null, an empty list or an empty map: providers do not distinguish these. */
function isEmpty(value: Value): boolean {
  return value === null || (typeof value === "object" && !(value instanceof Hidden) && Object.keys(value).length === 0);
}

/** The difference between two values of one name. */
export function difference(name: string, before: Value, after: Value): DiffLine[] {
  const textLines = (value: Value) => (value === null ? [] : format(value));
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
export function changedLines(before: readonly string[], after: readonly string[]): DiffLine[] {
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
export function format(value: Value, exact = false): string[] {
  const lines: string[] = [];
  const write = (value: Value, depth: number, start: string, end = ""): void => {
    if (value instanceof Hidden) {
      if (value.visible === undefined) lines.push(start + value.text + end);
      else write(value.visible, depth, start, end);
    } else if (value instanceof ExactNumber) {
      lines.push(start + value.text + end);
    } else if (typeof value === "object" && value !== null) {
      const keys = Array.isArray(value) ? undefined : Object.keys(value).sort();
      const [open, close] = keys === undefined ? "[]" : "{}";
      const inner = "  ".repeat(Math.min(depth + 1, MAX_DEPTH));
      const length = lines.push(`${start}${open}`);
      if (keys === undefined) for (const each of value as readonly Value[]) write(each, depth + 1, inner);
      else
        for (const key of keys)
          write((value as { [key: string]: Value })[key] as Value, depth + 1, `${inner}${JSON.stringify(key)}: `);
      if (lines.length === length) lines[length - 1] += `${close}${end}`;
      else lines.push(`${"  ".repeat(Math.min(depth, MAX_DEPTH))}${close}${end}`);
    } else {
      const isJson = typeof value === "string" && depth <= MAX_DEPTH && /^\s*[[{]/.test(value);
      const json = isJson ? parseJson(value) : undefined;
      if (typeof json !== "object" || json === null) lines.push(`${start}${JSON.stringify(value)}${end}`);
      else if (exact) write(json as Value, depth, `${start}jsonencode(`, `)${end}`);
      else write((isMap(json) && "Statement" in json ? sortedLists(json) : json) as Value, depth, start, end);
    }
  };
  write(value, 0, "");
  return lines;
}
