import { createHmac, randomBytes } from "node:crypto";
import { redact } from "../redact";
import { Hidden, isMap, same, UNKNOWN, type Value } from "./value";

/** The two sides of a change, and Terraform's marks on them: `true`, or a tree of marks of the value's own shape. */
export interface Sides {
  readonly before?: unknown;
  readonly after?: unknown;
  readonly beforeSensitive?: unknown;
  readonly afterSensitive?: unknown;
  readonly afterUnknown?: unknown;
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
 * Conceals every sensitive, unknown or credential-like value on both sides. A value that is sensitive on one side is
 * concealed on both.
 */
export class Concealer {
  /** @param fingerprint is added to each concealed value; default: no fingerprints */
  constructor(private readonly fingerprint?: Fingerprint) {}

  conceal(sides: Sides): { before: Value; after: Value } {
    return { before: this.side("before", sides), after: this.side("after", sides) };
  }

  /** The text without the credentials in it. */
  redact(text: string): string {
    return redact(text, this.fingerprint);
  }

  private side(which: "before" | "after", sides: Sides): Value {
    const { before, after, beforeSensitive, afterSensitive, afterUnknown } = sides;
    const value = which === "before" ? before : after;
    const changed = () => which === "after" && before !== undefined && before !== null && !same(before, after);
    if (which === "after" && afterUnknown === true) return UNKNOWN;
    if (beforeSensitive === true || afterSensitive === true) {
      if (value === undefined || value === null) return null;
      return new Hidden("sensitive", `(sensitive${changed() ? ", changed" : ""}${this.fingerprint?.(value) ?? ""})`);
    }
    if (Array.isArray(value)) {
      const marked = which === "after" && Array.isArray(afterUnknown) ? afterUnknown.length : 0;
      const length = Math.max(value.length, marked);
      return Array.from({ length }, (_, index) => this.side(which, within(sides, index)));
    }
    const unknownKeys = which === "after" && isMap(afterUnknown) ? Object.keys(afterUnknown) : [];
    if (isMap(value) || (value === undefined && unknownKeys.length > 0)) {
      const keys = new Set([...Object.keys(value ?? {}), ...unknownKeys]);
      return Object.fromEntries([...keys].map((key) => [this.redact(key), this.side(which, within(sides, key))]));
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

function within(sides: Sides, key: string | number): Sides {
  const step = (tree: unknown) => {
    if (tree === true) return true;
    return typeof tree === "object" && tree !== null && Object.hasOwn(tree, key)
      ? (tree as Record<string | number, unknown>)[key]
      : undefined;
  };
  return {
    before: step(sides.before),
    after: step(sides.after),
    beforeSensitive: step(sides.beforeSensitive),
    afterSensitive: step(sides.afterSensitive),
    afterUnknown: step(sides.afterUnknown),
  };
}
