import { createHmac, randomBytes } from "node:crypto";
import { findSecrets, type SecretRange } from "../secrets/find";
import { isNamedCredential } from "../secrets/formats";
import { isDistinctive, KnownSecrets } from "../secrets/known";
import { replaceRanges } from "../secrets/ranges";
import { sensitiveValues } from "./sensitive-values";
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

/** Distinguishes hidden values that look alike. It is not shown. */
const identify = createFingerprint();

/** Shorter strings, such as `""` and `a`, are concealed only where they are marked. */
const SHORTEST_STRING = 3;
/** Shorter numbers, such as ports, are concealed only where they are marked. */
const SHORTEST_NUMBER = 6;

const LABELS = { sensitive: "sensitive", credential: "hidden: looks like a credential" } as const;

/**
 * Conceals sensitive values, unknown values and credentials before and after a change. A value that is sensitive before or
 * after is concealed in both. A value that a plan marks as sensitive anywhere is also concealed where it is not marked: in
 * strings that contain it, in the keys of maps, in addresses and in messages, as it is or encoded.
 */
export class Concealer {
  private readonly known: KnownSecrets;
  /** Strings that are too short to be searched for, as `name=value`: concealed where they have the same name. */
  private readonly short: ReadonlySet<string>;
  private readonly numbers: ReadonlySet<string>;
  private readonly found = new Map<string, readonly SecretRange[]>();
  private readonly addresses = new Map<string, string>();
  private readonly shownAddresses = new Map<string, number>();

  /**
   * @param plans the JSON of every plan that is shown together with the values
   * @param fingerprint added to each concealed value. Default: no fingerprints
   */
  constructor(
    plans: readonly unknown[] = [],
    private readonly fingerprint?: Fingerprint,
  ) {
    const values = plans.flatMap(sensitiveValues);
    const strings = values.flatMap(({ name, value }) => (typeof value === "string" ? [{ name, value }] : []));
    this.known = new KnownSecrets(strings.map(({ value }) => value));
    const isShort = (value: string) =>
      value.length >= SHORTEST_STRING && !isDistinctive(value) && value !== "true" && value !== "false";
    this.short = new Set(strings.filter(({ value }) => isShort(value)).map(({ name, value }) => `${name}=${value}`));
    const numbers = values.flatMap(({ value }) => (typeof value === "number" ? [String(value)] : []));
    this.numbers = new Set(numbers.filter(({ length }) => length >= SHORTEST_NUMBER));
  }

  /** @param name the attribute or output that has the values. Default: none */
  conceal(values: RawValues, name = ""): { before: Value; after: Value } {
    return { before: this.side("before", values, name), after: this.side("after", values, name) };
  }

  /** The attributes of a resource before and after a change; null if it does not exist. Their names are not hidden. */
  attributes(values: RawValues): { [side in "before" | "after"]: { readonly [attribute: string]: Value } | null } {
    const read = (side: "before" | "after") => {
      const concealed = this.map(side, values);
      return concealed === undefined ? null : Object.fromEntries(concealed.map(({ shown, value }) => [shown, value]));
    };
    return { before: read("before"), after: read("after") };
  }

  /** The text without the secrets in it. */
  redact(text: string): string {
    return this.render(text, this.find(text));
  }

  /** An address without the secrets in it. Different addresses stay different. */
  address(raw: string): string {
    const known = this.addresses.get(raw);
    if (known !== undefined) return known;
    const shown = distinct(this.redact(raw), this.shownAddresses);
    this.addresses.set(raw, shown);
    return shown;
  }

  private side(which: "before" | "after", values: RawValues, name: string): Value {
    const { before, before_sensitive, after_sensitive, after_unknown: unknown } = values;
    const isAfter = which === "after";
    const value = values[which];
    const changed = isAfter && before !== undefined && before !== null && !same(before, value);
    if (isAfter && unknown === true) return UNKNOWN;
    if (before_sensitive === true || after_sensitive === true || this.isKnown(value, name)) {
      if (value === undefined || value === null) return null;
      return new Hidden("sensitive", this.marker("sensitive", value, changed), undefined, identify(value));
    }
    if (Array.isArray(value)) {
      const length = Math.max(value.length, isAfter && Array.isArray(unknown) ? unknown.length : 0);
      return Array.from({ length }, (_, index) => this.side(which, within(values, index), name));
    }
    const entries = this.map(which, values);
    if (entries !== undefined) {
      const visible = Object.fromEntries(entries.map(({ shown, value }) => [shown, value]));
      if (entries.every(({ key, shown }) => key === shown)) return visible;
      return new Hidden("sensitive", "(sensitive keys)", visible, identify(value));
    }
    if (typeof value !== "string") return (value ?? null) as Value;
    const shown = this.text(value, changed ? before : undefined);
    return shown === value && isNamedCredential(name, value)
      ? new Hidden("credential", this.marker("credential", value, changed), undefined, identify(value))
      : shown;
  }

  /** The entries of a map with their concealed keys; undefined if the value is not a map. */
  private map(which: "before" | "after", values: RawValues) {
    const { after_unknown: unknown } = values;
    const value = values[which];
    const unknownKeys = which === "after" && isMap(unknown) ? Object.keys(unknown) : [];
    if (!isMap(value) && (value !== undefined || unknownKeys.length === 0)) return undefined;
    const shownKeys = new Map<string, number>();
    // E.g. an environment variable of a container: { name = "DB_PASSWORD", value = … }.
    const nameOf = (key: string) =>
      [/^value$/i.test(key) && isMap(value) ? (value.name ?? value.key) : key].find((name) => typeof name === "string");
    return [...new Set([...Object.keys(value ?? {}), ...unknownKeys])].map((key) => {
      const shown = distinct(this.redact(key), shownKeys);
      return { key, shown, value: this.side(which, within(values, key), (nameOf(key) ?? key) as string) };
    });
  }

  /** @param before the string that it replaces, if it was a different one */
  private text(value: string, before: unknown): Value {
    const ranges = this.find(value);
    if (ranges.length === 0) return value;
    const wasHidden = typeof before === "string" ? this.find(before) : [];
    const isSimilar = typeof before === "string" && this.render(value, ranges) === this.render(before, wasHidden);
    const old = isSimilar ? wasHidden.map(({ start, end }) => before.slice(start, end)) : undefined;
    const shown = this.render(value, ranges, old);
    const [first] = ranges;
    const isWhole = first?.start === 0 && first.end === value.length;
    const reason = ranges.some(({ kind }) => kind === "sensitive") ? "sensitive" : "credential";
    return new Hidden(reason, shown, isWhole ? undefined : shown, identify(value));
  }

  private find(text: string): readonly SecretRange[] {
    const known = this.found.get(text) ?? findSecrets(text, this.known);
    this.found.set(text, known);
    return known;
  }

  /** @param before the hidden parts of the text before the change, to mark those that changed */
  private render(text: string, ranges: readonly SecretRange[], before?: readonly string[]): string {
    let index = 0;
    return replaceRanges(text, ranges, (part, { kind }) => {
      const old = before?.[index++];
      return this.marker(kind, part, old !== undefined && old !== part);
    });
  }

  private marker(kind: SecretRange["kind"], value: unknown, changed: boolean): string {
    return `(${LABELS[kind]}${changed ? ", changed" : ""}${this.fingerprint?.(value) ?? ""})`;
  }

  /** Whether a value equals a sensitive one that is not searched for in texts. */
  private isKnown(value: unknown, name: string): boolean {
    if (typeof value === "string") return this.short.has(`${name}=${value}`) || this.numbers.has(value);
    return typeof value === "number" && this.numbers.has(String(value));
  }
}

/** The text, with a number if it is not the first of its kind. */
function distinct(text: string, counts: Map<string, number>): string {
  const count = (counts.get(text) ?? 0) + 1;
  counts.set(text, count);
  return count === 1 ? text : `${text} #${count}`;
}

function within(values: RawValues, key: string | number): RawValues {
  const step = (tree: unknown) =>
    typeof tree === "object" && tree !== null && Object.hasOwn(tree, key)
      ? (tree as Record<string | number, unknown>)[key]
      : tree === true || undefined;
  return Object.fromEntries(Object.entries(values).map(([name, tree]) => [name, step(tree)]));
}
