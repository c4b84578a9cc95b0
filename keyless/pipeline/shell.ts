/** A value as a POSIX shell reads it back unchanged, whatever is in it. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Lines of a shell that set variables; `undefined` removes one. */
export function shellLines(variables: { readonly [name: string]: string | undefined }): string[] {
  return Object.entries(variables).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}=${quoted(value)}`,
  );
}
