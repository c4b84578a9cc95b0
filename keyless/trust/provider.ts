/** The AWS account that evaluates a token. */
export interface Account {
  readonly accountId: string;
  readonly partition: string;
}

/** The ARN of an account's OIDC provider for an issuer, given without `https://`. */
export function providerArn(issuer: string, { accountId, partition }: Account): string {
  return `arn:${partition}:iam::${accountId}:oidc-provider/${issuer}`;
}

/** Parses the ARN of an OIDC provider. Undefined for any other text. */
export function parseProviderArn(arn: string): (Account & { readonly issuer: string }) | undefined {
  const [, partition, accountId, issuer] = /^arn:([^:]*):iam::([^:]*):oidc-provider\/(.+)$/s.exec(arn) ?? [];
  if (partition === undefined || accountId === undefined || issuer === undefined) return undefined;
  return { partition, accountId, issuer };
}

/** The issuer in the ARN of an OIDC provider; the text itself if it is not such an ARN. */
export function issuerOfArn(arn: string): string {
  return parseProviderArn(arn)?.issuer ?? arn;
}
