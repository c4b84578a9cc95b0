import { createHmac } from "node:crypto";
import { Hidden, isObjectValue, same, UNKNOWN, type Value } from "./value";

/** The two sides of a change, and Terraform's marks on them: `true`, or a tree of marks of the value's own shape. */
export interface Sides {
  readonly before?: unknown;
  readonly after?: unknown;
  readonly beforeSensitive?: unknown;
  readonly afterSensitive?: unknown;
  readonly afterUnknown?: unknown;
}

const SENSITIVE = "(sensitive)";
const SENSITIVE_CHANGED = "(sensitive, changed)";

/**
 * Distinguishes concealed values: equal for equal values, and of no use without the key. It is shown in their place where
 * two plans are compared.
 */
export type Fingerprint = (value: unknown) => string;

/** Fingerprints under a key, as 16 hex digits. */
export function fingerprintsBy(key: Buffer): Fingerprint {
  return (value) =>
    createHmac("sha256", key)
      .update(JSON.stringify(value) ?? "")
      .digest("hex")
      .slice(0, 16);
}

/** Both sides with every sensitive, unknown or key-like value replaced. Sensitive on one side is sensitive on both. */
export function conceal(sides: Sides, fingerprint?: Fingerprint): { before: Value; after: Value } {
  return { before: side("before", sides, fingerprint), after: side("after", sides, fingerprint) };
}

function side(which: "before" | "after", sides: Sides, fingerprint: Fingerprint | undefined): Value {
  const { before, after, beforeSensitive, afterSensitive, afterUnknown } = sides;
  const value = which === "before" ? before : after;
  const changed = () => before !== undefined && before !== null && !same(before, after);
  if (which === "after" && afterUnknown === true) return UNKNOWN;
  if (beforeSensitive === true || afterSensitive === true) {
    if (value === undefined || value === null) return null;
    if (fingerprint !== undefined) return new Hidden(`(sensitive ${fingerprint(value)})`, "sensitive");
    return new Hidden(which === "after" && changed() ? SENSITIVE_CHANGED : SENSITIVE, "sensitive");
  }
  if (Array.isArray(value)) {
    const marked = which === "after" && Array.isArray(afterUnknown) ? afterUnknown.length : 0;
    const length = Math.max(value.length, marked);
    return Array.from({ length }, (_, index) => side(which, within(sides, index), fingerprint));
  }
  const unknownKeys = which === "after" && isObjectValue(afterUnknown) ? Object.keys(afterUnknown) : [];
  if (isObjectValue(value) || (value === undefined && unknownKeys.length > 0)) {
    const keys = new Set([...Object.keys(value ?? {}), ...unknownKeys]);
    return Object.fromEntries(
      [...keys].map((key) => [redact(key, fingerprint), side(which, within(sides, key), fingerprint)]),
    );
  }
  if (typeof value === "string") {
    const shown = redact(value, fingerprint);
    return fingerprint === undefined &&
      which === "after" &&
      shown !== value &&
      changed() &&
      shown === redact(String(before))
      ? new Hidden(`${shown} (changed)`, "credential")
      : shown;
  }
  return (value ?? null) as Value;
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

/** What is known to be a credential by its very form, marked sensitive or not. */
const CREDENTIALS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bey[A-Za-z0-9_-]{8,}\.ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
  /\b(?:CCI(?:PAT|PRJ)_[A-Za-z0-9_]{10,}|xox[abprs]-[A-Za-z0-9-]{10,})/g,
];

/** A text without the tokens and private keys in it, their fingerprints in their place if there are any. */
export function redact(text: string, fingerprint?: Fingerprint): string {
  const hidden = (found: string) =>
    `(hidden: looks like a key${fingerprint === undefined ? "" : ` ${fingerprint(found)}`})`;
  return CREDENTIALS.reduce((rest, form) => rest.replace(form, hidden), text);
}
