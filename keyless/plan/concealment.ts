import { createHmac, randomBytes } from "node:crypto";
import { redact } from "../redact";
import { Hidden, isMap, same, UNKNOWN, type Value } from "./value";

/** The values of a change as Terraform writes them. A mark is `true`, or a tree of marks with the structure of the value. */
export interface RawValues {
  readonly before?: unknown;
  readonly after?: unknown;
  readonly before_sensitive?: unknown;
  readonly after_sensitive?: unknown;
  readonly after_unknown?: unknown;
}

/** Identifies a concealed value: equal values have equal fingerprints. */
export type Fingerprint = (value: unknown) => string;

/**
 * Fingerprints by HMAC-SHA-256 with a random key, which exists in this process only: values of two plans can be
 * compared, and no value can be guessed from its fingerprint.
 */
export function createFingerprint(): Fingerprint {
  const key = randomBytes(32);
  return (value) => ` ${createHmac("sha256", key).update(JSON.stringify(value)).digest("hex").slice(0, 16)}`;
}

/**
 * Conceals every sensitive value, unknown value and credential before and after a change. A value that is sensitive
 * before or after is concealed in both.
 */
export class Concealer {
  /** @param fingerprint added to each concealed value. Default: no fingerprints */
  constructor(private readonly fingerprint?: Fingerprint) {}

  conceal(values: RawValues): { before: Value; after: Value } {
    return { before: this.side("before", values), after: this.side("after", values) };
  }

  /** The text without the credentials in it. */
  redact(text: string): string {
    return redact(text, this.fingerprint);
  }

  private side(which: "before" | "after", values: RawValues): Value {
    const { before, before_sensitive, after_sensitive, after_unknown: unknown } = values;
    const isAfter = which === "after";
    const value = values[which];
    const changed = () => isAfter && before !== undefined && before !== null && !same(before, value);
    if (isAfter && unknown === true) return UNKNOWN;
    if (before_sensitive === true || after_sensitive === true) {
      if (value === undefined || value === null) return null;
      return new Hidden("sensitive", `(sensitive${changed() ? ", changed" : ""}${this.fingerprint?.(value) ?? ""})`);
    }
    if (Array.isArray(value)) {
      const length = Math.max(value.length, isAfter && Array.isArray(unknown) ? unknown.length : 0);
      return Array.from({ length }, (_, index) => this.side(which, within(values, index)));
    }
    const unknownKeys = isAfter && isMap(unknown) ? Object.keys(unknown) : [];
    if (isMap(value) || (value === undefined && unknownKeys.length > 0)) {
      const keys = new Set([...Object.keys(value ?? {}), ...unknownKeys]);
      return Object.fromEntries([...keys].map((key) => [this.redact(key), this.side(which, within(values, key))]));
    }
    if (typeof value === "string") {
      const shown = this.redact(value);
      return shown !== value && changed() && shown === this.redact(String(before))
        ? new Hidden("credential", `${shown} (changed)`)
        : shown;
    }
    return (value ?? null) as Value;
  }
}

function within(values: RawValues, key: string | number): RawValues {
  const step = (tree: unknown) =>
    typeof tree === "object" && tree !== null && Object.hasOwn(tree, key)
      ? (tree as Record<string | number, unknown>)[key]
      : tree === true || undefined;
  return Object.fromEntries(Object.entries(values).map(([name, tree]) => [name, step(tree)]));
}
