import { ORGANIZATION, SITE } from "./setup";

/** A configuration with one role, whose fields a test gives as source text. */
export const organization = ORGANIZATION;
export const project = SITE;
export const repository = "github.com/acme/site";

export function configWith(role: string): string {
  return `export default defineConfig({
  circleci: { organizationId: "${organization}" },
  environments: {
    dev: {
      accountId: "123456789012",
      region: "us-east-1",
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
      roles: { publisher: { ${role} } },
    },
  },
});
`;
}

export const onMain = `trust: [{ project: "${project}", repository: "${repository}", branches: ["main"] }]`;
