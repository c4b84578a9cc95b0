import type { TextRange } from "./ranges";

/** Strings that are credentials by their form, marked sensitive or not. */
const CREDENTIALS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bey[A-Za-z0-9_-]{8,}\.ey[A-Za-z0-9_-]{8,}\.?[A-Za-z0-9_-]*/g,
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
  /\b(?:CCI(?:PAT|PRJ)_[A-Za-z0-9_]{10,}|xox[abprs]-[A-Za-z0-9-]{10,})/g,
];

/** Where a text has the format of a credential. */
export function findCredentials(text: string): TextRange[] {
  return CREDENTIALS.flatMap((form) =>
    [...text.matchAll(form)].map(({ 0: match, index }) => ({ start: index, end: index + match.length })),
  );
}
