/** The keys and indexes that lead to a value. */
export type ProblemPath = readonly (string | number)[];

/** One thing that is wrong in a configuration. */
export interface Problem {
  readonly path: ProblemPath;
  /** The given value, if it helps to show it. */
  readonly value?: unknown;
  /** What is wrong and how to fix it; follows path and value in a sentence. */
  readonly message: string;
  /** The value of a field that is written is undefined. */
  readonly isUndefined?: true;
  /** The other places of the same value with the same problem, e.g. of a constant that several roles use. */
  readonly also?: readonly ProblemPath[];
}

/** The problems, each value with the same problem once. */
export function distinctProblems(problems: readonly Problem[]): Problem[] {
  const byText = new Map<string, Problem>();
  for (const problem of problems) {
    const text = JSON.stringify([valueText(problem.value), problem.message]);
    const first = byText.get(text);
    byText.set(text, first ? { ...first, also: [...(first.also ?? []), problem.path] } : problem);
  }
  return [...byText.values()];
}

/** A problem in one line: path, value, what is wrong and how to fix it. */
export function describeProblem({ path, value, message, also = [] }: Problem): string {
  const [next, ...others] = also;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const places = next === undefined ? "" : ` (also ${pathText(next)}${more})`;
  return `${pathText(path)}${places}: ${valueText(value)}${message}`;
}

function pathText(path: ProblemPath): string {
  const steps = path.map((key, index) =>
    typeof key === "string" && /^[A-Za-z_][\w-]*$/.test(key)
      ? `${index === 0 ? "" : "."}${key}`
      : `[${JSON.stringify(key)}]`,
  );
  return steps.join("") || "the configuration";
}

function valueText(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "object" || typeof value === "string" ? json(value) : String(value);
  return `${text.length > 120 ? `${text.slice(0, 120)}…` : text} `;
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "(a value that JSON cannot represent)";
  }
}
