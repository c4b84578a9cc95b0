import { isMap, parseJson } from "./value";

/** In a plan's JSON, the names of values and of the tree that marks what is sensitive in them. */
const MARKED = [
  ["before", "before_sensitive"],
  ["after", "after_sensitive"],
  ["values", "sensitive_values"],
  ["value", "sensitive"],
  ["default", "sensitive"],
  ["config_values", "config_sensitive"],
] as const;

/** A value, and the name under which the plan has it. */
export interface NamedValue {
  readonly name: string;
  readonly value: unknown;
}

/** Names of what is secret in a sensitive JSON document, which also contains e.g. hosts and regions. */
const SECRET_NAME = /pass|pwd|secret|token|key|cred|auth/i;

/** The strings and numbers in a plan's JSON that it marks as sensitive, wherever they are. */
export function sensitiveValues(json: unknown): NamedValue[] {
  const found: NamedValue[] = [];
  const marked: (NamedValue & { marks: unknown })[] = sensitiveVariables(json);
  // No recursion: a plan can be nested deeper than the stack.
  const rest: NamedValue[] = [{ name: "", value: json }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { name, value } = next;
    if (typeof value !== "object" || value === null) continue;
    for (const [key, each] of Object.entries(value))
      rest.push({ name: Array.isArray(value) ? name : key, value: each });
    if (!isMap(value)) continue;
    for (const [values, marks] of MARKED)
      if (marks in value) marked.push({ name, value: value[values], marks: value[marks] });
  }
  for (let next = marked.pop(); next !== undefined; next = marked.pop()) {
    const { name, value, marks } = next;
    if (typeof value === "object" && value !== null) {
      if (marks !== true && (typeof marks !== "object" || marks === null)) continue;
      for (const [key, each] of Object.entries(value)) {
        const mark = marks === true || (Object.hasOwn(marks, key) && (marks as Record<string, unknown>)[key]);
        marked.push({ name: Array.isArray(value) ? name : key, value: each, marks: mark });
      }
    } else if (marks === true && (typeof value === "string" || typeof value === "number")) {
      found.push({ name, value });
      const document = typeof value === "string" && /^\s*[[{]/.test(value) ? parseJson(value) : undefined;
      if (isMap(document))
        for (const [key, each] of Object.entries(document))
          if (SECRET_NAME.test(key)) marked.push({ name: key, value: each, marks: true });
    }
  }
  return found;
}

/** The values of the root module's variables that the configuration declares as sensitive. */
function sensitiveVariables(json: unknown): (NamedValue & { marks: unknown })[] {
  const at = (value: unknown, ...path: readonly string[]) =>
    path.reduce<unknown>((inner, key) => (isMap(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined), value);
  const declared = at(json, "configuration", "root_module", "variables");
  return Object.keys(isMap(declared) ? declared : {})
    .filter((name) => at(declared, name, "sensitive") === true)
    .map((name) => ({ name, value: at(json, "variables", name, "value"), marks: true }));
}
