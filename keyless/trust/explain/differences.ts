import { asArray, isObject, type PolicyDocument, statements } from "../../policy/document";

/** A trust policy and the client ids of its provider. */
export interface TrustState {
  readonly trustPolicy: PolicyDocument;
  readonly audiences: readonly string[];
}

/**
 * The differences between the trust in the account and the configured trust: a line for each value that only one of them
 * has. The order of values and lists of one value make no difference, as in AWS.
 */
export function differences(live: TrustState, configured: TrustState): string[] {
  const [inAccount, inConfiguration] = [policyValues(live), policyValues(configured)];
  const without = (values: string[], others: string[]) => values.filter((value) => !others.includes(value));
  return [
    ...without(inAccount, inConfiguration).map((value) => `only in the account: ${value}`),
    ...without(inConfiguration, inAccount).map((value) => `only in the configuration: ${value}`),
  ];
}

function policyValues({ trustPolicy, audiences }: TrustState): string[] {
  const list = statements(trustPolicy);
  return [
    ...list.flatMap(({ Condition, Sid: _, ...elements }, index) => {
      const prefix = list.length === 1 ? "" : `statement ${index + 1}: `;
      return [...leaves(elements), ...leaves(Condition)].map((value) => prefix + value);
    }),
    ...audiences.map((audience) => `client id of the provider: ${audience}`),
  ];
}

/** The scalar values in a JSON value, each after the names of the fields that contain it. */
function leaves(value: unknown): string[] {
  if (!isObject(value)) return asArray(value).map(String);
  return Object.entries(value).flatMap(([name, field]) => leaves(field).map((leaf) => `${name} ${leaf}`));
}
