/** Strings that are credentials by their form, marked sensitive or not. */
const CREDENTIALS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bey[A-Za-z0-9_-]{8,}\.ey[A-Za-z0-9_-]{8,}\.?[A-Za-z0-9_-]*/g,
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
  /\b(?:CCI(?:PAT|PRJ)_[A-Za-z0-9_]{10,}|xox[abprs]-[A-Za-z0-9-]{10,})/g,
];

/**
 * Replaces access key ids, private keys, JSON web tokens, and tokens of GitHub, CircleCI and Slack in a text.
 *
 * @param mark what to add to each replacement, e.g. a fingerprint of the credential; default: nothing
 */
export function redact(text: string, mark: (credential: string) => string = () => ""): string {
  return CREDENTIALS.reduce(
    (rest, form) => rest.replace(form, (credential) => `(hidden: looks like a credential${mark(credential)})`),
    text,
  );
}
