import { appendFileSync } from "node:fs";

/** Environment variables; `undefined` unsets one. */
type Variables = { readonly [name: string]: string | undefined };

/** The commands of a POSIX shell that set variables. */
export function shellLines(variables: Variables): string[] {
  return Object.entries(variables).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  );
}

/**
 * Sets variables for the later steps of a CircleCI job. Outside of a job, prints shell commands.
 *
 * @see https://circleci.com/docs/env-vars/#parameters-and-bash-environment
 */
export function exportToJob(variables: Variables): void {
  const lines = `${shellLines(variables).join("\n")}\n`;
  if (process.env.BASH_ENV) appendFileSync(process.env.BASH_ENV, lines);
  else process.stdout.write(lines);
}
