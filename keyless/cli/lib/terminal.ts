import { styleText } from "node:util";

/** How a text is set off, if it is to be. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

/** Colours for a terminal, unless `NO_COLOR` is set; nothing for anything else. */
export function paintFor({ isTTY }: { isTTY?: boolean }): Paint {
  const coloured = isTTY === true && process.env.NO_COLOR === undefined;
  const as = (style: "green" | "red" | "dim") => (text: string) => (coloured ? styleText(style, text) : text);
  return { good: as("green"), bad: as("red"), faint: as("dim") };
}
