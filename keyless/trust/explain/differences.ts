import { asArray, type PolicyDocument, type Statement, statements } from "../../policy/document";

/** A trust policy and the client ids of its provider. */
export interface TrustState {
  readonly trustPolicy: PolicyDocument;
  readonly audiences: readonly string[];
}

/**
 * How a trust as it is in the account differs from the configured one: a line for each value that only one of them has.
 * What means the same to AWS, such as the order of values or a list of one, is no difference.
 */
export function differences(live: TrustState, configured: TrustState): string[] {
  const [inAccount, inConfiguration] = [facts(live), facts(configured)];
  return [
    ...inAccount.filter((fact) => !inConfiguration.includes(fact)).map((fact) => `only in the account: ${fact}`),
    ...inConfiguration.filter((fact) => !inAccount.includes(fact)).map((fact) => `only in the configuration: ${fact}`),
  ];
}

function facts({ trustPolicy, audiences }: TrustState): string[] {
  const list = statements(trustPolicy);
  return [
    ...list.flatMap((statement, index) => {
      const which = list.length === 1 ? "" : `statement ${index + 1}: `;
      return statementFacts(statement).map((fact) => which + fact);
    }),
    ...audiences.map((audience) => `client id of the provider: ${audience}`),
  ];
}

function statementFacts({ Condition = {}, Sid: _, ...elements }: Statement): string[] {
  return [
    ...Object.entries(elements).flatMap(([element, value]) => values(value).map((text) => `${element} ${text}`)),
    ...Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).flatMap(([key, value]) => values(value).map((text) => `${operator} ${key} ${text}`)),
    ),
  ];
}

function values(value: unknown): string[] {
  return asArray(value).map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
}
