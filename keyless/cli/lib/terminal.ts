import { styleText } from "node:util";

/** How text is highlighted, if it is. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

/** What an output can show. */
export interface Terminal {
  /** Whether escape codes for colors may be written. */
  readonly colors: boolean;
  /** The width to which sentences and tables are wrapped, in columns. */
  readonly columns: number;
  readonly paint: Paint;
}

type Stream = { readonly isTTY?: boolean; readonly columns?: number };

/**
 * Colors only for a terminal, unless `NO_COLOR` is set and not empty. The width is the terminal's; for a pipe, `COLUMNS`
 * or 80. A file has neither colors nor a width.
 *
 * @param file the file that is written instead of standard output, if any
 * @see https://no-color.org
 */
export function terminalOf(file?: string, stream: Stream = process.stdout, env = process.env): Terminal {
  const colors = file === undefined && stream.isTTY === true && !env.NO_COLOR;
  const columns = file === undefined ? stream.columns || Number(env.COLUMNS) || 80 : Number.POSITIVE_INFINITY;
  const as = (style: "green" | "red" | "dim") => (text: string) =>
    colors ? styleText(style, text, { validateStream: false }) : text;
  return { colors, columns, paint: { good: as("green"), bad: as("red"), faint: as("dim") } };
}
