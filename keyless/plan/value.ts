import { isDeepStrictEqual } from "node:util";
import { ExactNumber, parseExactJson } from "../json";

/**
 * Why a value is not shown. `unknown`: Terraform learns it during apply. `sensitive`: Terraform marks it as sensitive, or
 * it contains a value that Terraform marks. `credential`: it contains what has the format of a credential.
 */
export type HiddenReason = "unknown" | "sensitive" | "credential";

const IDENTITY = Symbol("identity");

/**
 * Replaces a value that must not be shown, or that is not known yet. The values of a plan are concealed once, where the
 * plan is read. All other code only has concealed values. A string of which only a part is hidden is replaced too: what is
 * left of it must not be evaluated as a policy, a name or an ARN.
 */
export class Hidden {
  /** Enumerable, so that {@link same} compares it; a symbol, so that it is not part of JSON. */
  readonly [IDENTITY]: string | undefined;

  constructor(
    readonly reason: HiddenReason,
    /** How a reader sees the value in one line, e.g. `(sensitive)`. */
    readonly text: string,
    /** What is left of a value of which only parts are hidden, to lay out in several lines. */
    readonly visible?: Value,
    /** Distinguishes hidden values that look alike. */
    identity?: string,
  ) {
    this[IDENTITY] = identity;
  }
}

/** A value of a plan that may be shown. */
export type Value =
  | null
  | boolean
  | number
  | ExactNumber
  | string
  | Hidden
  | readonly Value[]
  | { readonly [key: string]: Value };

/** A value that Terraform learns during apply. */
export const UNKNOWN = new Hidden("unknown", "(known after apply)");

/** Whether Terraform learns the value during apply. */
export function isUnknown(value: unknown): boolean {
  return value instanceof Hidden && value.reason === "unknown";
}

/** The hidden values in a value. */
export function hiddenIn(value: unknown): readonly Hidden[] {
  if (value instanceof Hidden) return [value];
  if (Array.isArray(value)) return value.flatMap(hiddenIn);
  return isMap(value) ? Object.values(value).flatMap(hiddenIn) : [];
}

/** Whether a value of a plan is a map or an object; a hidden value is neither. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(value instanceof Hidden) && !(value instanceof ExactNumber);
}

/** A list's elements, none for any other value; a hidden list is one hidden element. */
export function elements(value: Value | undefined): readonly Value[] {
  if (value instanceof Hidden) return [value];
  return Array.isArray(value) ? value : [];
}

/** A value without quotes, as a reader sees it. */
export function displayed(value: Value): string {
  if (value instanceof Hidden) return value.text;
  return isMap(value) ? canonical(value) : String(value);
}

/** Whether two values are equal; the order of keys does not matter. */
export function same(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left, right);
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    isMap(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

/** The JSON in a string; undefined if the string is not JSON, or not such that it can be read in one way only. */
export function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/** Elements of a policy that hold one string and never a list. */
const SINGLE = new Set(["Version", "Id", "Sid", "Effect", "Principal", "NotPrincipal"]);

/** A policy with sorted lists, a single value as a list of one: AWS evaluates both forms in the same way. */
export function sortedLists(value: unknown, element?: string): unknown {
  if (Array.isArray(value)) {
    const parts = value.map((part) => sortedLists(part));
    return parts.every((part) => typeof part === "string") ? parts.sort() : parts;
  }
  if (isMap(value))
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, sortedLists(part, key)]));
  return typeof value === "string" && element !== undefined && !SINGLE.has(element) ? [value] : value;
}
