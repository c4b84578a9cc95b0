import { appendFileSync } from "node:fs";
import { shellLines } from "../../pipeline/shell";

/**
 * Sets variables for the later steps of a CircleCI job; `undefined` unsets one. Outside of a job, prints shell commands.
 *
 * @see https://circleci.com/docs/env-vars/#parameters-and-bash-environment
 */
export function exportToJob(variables: { readonly [name: string]: string | undefined }): void {
  const lines = `${shellLines(variables).join("\n")}\n`;
  if (process.env.BASH_ENV) appendFileSync(process.env.BASH_ENV, lines);
  else process.stdout.write(lines);
}
