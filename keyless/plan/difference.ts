import { diffArrays } from "diff";
import type { Change } from "./schema";
import { Hidden, isObjectValue, isUnknown, parseJson, same, sortedLists, type Value } from "./value";

/** A line of an attribute's difference. */
export interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Lines of context around a difference. */
const CONTEXT = 2;
/** Beyond so many differences, the old value and the new one stand one after the other. */
const MAX_EDITS = 1_000;

/** What a change does, attribute by attribute; JSON in strings is compared as JSON. */
export function attributeLines(change: Pick<Change, "before" | "after" | "replacePaths">): Line[] {
  const { before, after, replacePaths } = change;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const unknown: string[] = [];
  const lines = names.flatMap((name) => {
    const [old, young] = [before?.[name] ?? null, after?.[name] ?? null];
    if (old === null && isUnknown(young)) unknown.push(name);
    else if (!same(old, young) && !(isEmpty(old) && isEmpty(young))) {
      const forces = replacePaths.some((path) => path === name || path.startsWith(`${name}.`));
      return difference(forces ? `${name} (forces replacement)` : name, old, young);
    }
    return [];
  });
  return unknown.length === 0 ? lines : [...lines, { sign: "+", text: `known after apply: ${unknown.join(", ")}` }];
}

/** Nothing, an empty list and an empty map: providers take the one for the other. */
function isEmpty(value: Value): boolean {
  return value === null || (typeof value === "object" && !(value instanceof Hidden) && Object.keys(value).length === 0);
}

/** The difference between two values of a name. */
export function difference(name: string, before: Value, after: Value): Line[] {
  const [old, young] = [before, after].map((value) => (value === null ? [] : print(value).split("\n")));
  if (old === undefined || young === undefined) return [];
  if (old.length <= 1 && young.length <= 1 && old[0] === young[0]) {
    return [{ sign: " ", text: `${name}: the same, spelled differently` }];
  }
  if (old.length <= 1 && young.length <= 1) {
    return [
      ...old.map((text): Line => ({ sign: "-", text: `${name} = ${text}` })),
      ...young.map((text): Line => ({ sign: "+", text: `${name} = ${text}` })),
    ];
  }
  const body = compare(old, young);
  if (body.every(({ sign }) => sign === " ")) return [{ sign: " ", text: `${name}: the same, spelled differently` }];
  return [
    { sign: " ", text: `${name} =` },
    ...withContext(body).map(({ sign, text }) => ({ sign, text: `  ${text}` })),
  ];
}

function compare(old: readonly string[], young: readonly string[]): Line[] {
  const parts = diffArrays([...old], [...young], { maxEditLength: MAX_EDITS }) ?? [
    { removed: true, added: false, value: [...old] },
    { removed: false, added: true, value: [...young] },
  ];
  return parts.flatMap(({ added, removed, value }) =>
    value.map((text): Line => ({ sign: added ? "+" : removed ? "-" : " ", text })),
  );
}

function withContext(lines: readonly Line[]): Line[] {
  const near = new Set(
    lines.flatMap(({ sign }, at) =>
      sign === " " ? [] : Array.from({ length: 2 * CONTEXT + 1 }, (_, step) => at + step - CONTEXT),
    ),
  );
  return lines.flatMap((line, at) => {
    if (near.has(at)) return [line];
    return at === 0 || near.has(at - 1) ? [{ sign: " " as const, text: "…" }] : [];
  });
}

/**
 * A value as text, without commas, which would make two lines differ for a third; JSON within a string is laid out,
 * and a policy's lists are in order.
 */
function print(value: Value, indent = ""): string {
  if (value instanceof Hidden) return value.text;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((each) => `${inner}${print(each, inner)}`).join("\n")}\n${indent}]`;
  }
  if (isObjectValue(value)) {
    const keys = Object.keys(value).sort();
    if (keys.length === 0) return "{}";
    const lines = keys.map((key) => `${inner}${JSON.stringify(key)}: ${print(value[key] as Value, inner)}`);
    return `{\n${lines.join("\n")}\n${indent}}`;
  }
  const json = typeof value === "string" && /^\s*[[{]/.test(value) ? parseJson(value) : undefined;
  if (typeof json !== "object" || json === null) return JSON.stringify(value);
  return print((isObjectValue(json) && "Statement" in json ? sortedLists(json) : json) as Value, indent);
}
