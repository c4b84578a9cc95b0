import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../project-folder";

const NAME = ".terraform.lock.hcl";

/**
 * Copies the project's dependency lock file to a stack's folder. `terraform init` then accepts only the provider whose
 * version and checksums are in the file.
 *
 * @see https://developer.hashicorp.com/terraform/language/files/dependency-lock
 */
export function lockProviders(folder: string): void {
  copyFileSync(join(projectFolder, NAME), join(folder, NAME));
}
