import { join, type RichText, renderRichText, richText } from "../rich-text";
import { inMarkdown } from "./markdown";

/** What stands in place of a review when there is no plan. */
export interface Skipped {
  readonly environments: readonly string[];
  readonly skipped: string;
}

/** Says in place of a review that there is none, and why. */
export function renderSkipped(skipped: Skipped, format: "markdown" | "text"): string {
  const sentence = inWords(skipped);
  return format === "markdown" ? `**${inMarkdown(sentence)}**\n` : `${renderRichText(sentence)}\n`;
}

function inWords({ environments, skipped }: Skipped): RichText {
  const names = join(
    environments.map((each) => richText`${each}`),
    ", ",
  );
  return richText`Not reviewed: no plan of ${names}. The reason: ${skipped}.`;
}
