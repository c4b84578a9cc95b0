import config from "../config";
import { runTrustTests } from "../keyless/access/trust-tests";
import { trustConditions } from "../keyless/trust/policy";

test("config.ts has an environment", () => expect(config.environments).not.toHaveLength(0));

describe("trustTests of config.ts", () => {
  for (const { name, failures } of runTrustTests(config)) {
    test(name, () => expect(failures).toEqual([]));
  }
});

for (const { name, circleci, roles } of config.environments) {
  for (const role of roles) {
    describe(`${name}/${role.name}`, () => {
      const statements = trustConditions({ ...circleci, rules: role.trust });

      test("takes tokens of the configured audiences only", () => {
        for (const conditions of statements) {
          expect(conditions).toContainEqual({
            test: "StringEquals",
            variable: `${circleci.issuer}:aud`,
            values: [...circleci.audiences].sort(),
          });
        }
      });

      test("takes only subjects that spell out organization and project", () => {
        const subjects = statements.flat().filter(({ variable }) => variable === `${circleci.issuer}:sub`);
        expect(subjects).toHaveLength(statements.length);
        for (const subject of subjects.flatMap(({ values }) => values)) {
          expect(subject).toMatch(
            new RegExp(`^org/${circleci.organizationId}/project/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/`),
          );
        }
      });
    });
  }
}
