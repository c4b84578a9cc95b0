/** Quotes a value for a POSIX shell. */
export function quoteForShell(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** The shell commands that set variables, or unset them if the value is `undefined`. */
export function shellLines(variables: { readonly [name: string]: string | undefined }): string[] {
  return Object.entries(variables).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}=${quoteForShell(value)}`,
  );
}
