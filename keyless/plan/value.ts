import { isObject } from "../policy/document";

/**
 * What stands in place of a value that may not be shown, or that nobody knows yet. A plan's values are concealed once,
 * where the plan is read; nothing behind that point holds a secret, so that no renderer can print one.
 */
export class Hidden {
  /**
   * @param reason `unknown`: only the apply determines it. `sensitive`: the provider or the configuration marks it so.
   * `credential`: its form is that of a token or a key
   */
  constructor(
    readonly text: string,
    readonly reason: "unknown" | "sensitive" | "credential",
  ) {}

  toJSON(): string {
    return this.text;
  }
}

/** A value of a plan, fit to be shown. */
export type Value = null | boolean | number | string | Hidden | readonly Value[] | { readonly [key: string]: Value };

/** In place of a value that only the apply determines. */
export const UNKNOWN = new Hidden("(known after apply)", "unknown");

/** Whether only the apply determines a value. An attribute whose text merely reads so is an ordinary value. */
export function isUnknown(value: unknown): value is Hidden {
  return value instanceof Hidden && value.reason === "unknown";
}

/** Whether only the apply determines a value or a part of it. */
export function hasUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isUnknown(value) || (isObjectValue(value) && Object.values(value).some(hasUnknown));
}

/** Whether a value of a plan is an object; a hidden value is none. */
export function isObjectValue(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !(value instanceof Hidden);
}

/** JSON with sorted keys: two values are the same exactly if their canonical texts are. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    isObjectValue(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

/** Whether two values mean the same, the order of keys apart. */
export function same(left: unknown, right: unknown): boolean {
  return left === right || canonical(left) === canonical(right);
}

/** The JSON in a text; undefined when there is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Elements of a policy that hold one text and never a list. */
const SINGLE = new Set(["Version", "Id", "Sid", "Effect", "Principal", "NotPrincipal"]);

/** A policy with every list in order, one value written as a list of one: neither makes a difference to AWS. */
export function sortedLists(value: unknown, element?: string): unknown {
  if (Array.isArray(value)) {
    const parts = value.map((part) => sortedLists(part));
    return parts.every((part) => typeof part === "string") ? parts.sort() : parts;
  }
  if (isObjectValue(value))
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, sortedLists(part, key)]));
  return typeof value === "string" && element !== undefined && !SINGLE.has(element) ? [value] : value;
}
