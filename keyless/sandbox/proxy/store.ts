import { IAMClient } from "@aws-sdk/client-iam";
import { parseXML } from "@aws-sdk/xml-builder";
import { AccountReader, type IamRole } from "../../aws/iam";
import { parseDocument } from "../../policy/document";
import type { NamedPolicy } from "../../policy/evaluate";
import type { Account } from "../../trust/provider";
import type { Call, JsonObject } from "./call";
import { forward, type HttpRequest, type HttpResponse } from "./http";

/** A role in the sandbox with all policies that determine its permissions. */
export interface StoredRole extends IamRole {
  readonly trust: NamedPolicy;
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
}

/** The access key of an administrator of an account in the sandbox. */
export function accountKeys(accountId: string): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: `AKIADMIN${accountId}`, secretAccessKey: "no-secret-on-the-local-aws" };
}

/** The account of an administrator's access key. Undefined for other keys. */
export function accountOfKey(accessKeyId: string): string | undefined {
  return /^AKIADMIN(\d{12})$/.exec(accessKeyId)?.[1];
}

/** The header that sets the account in moto, independent of the access key. */
const accountHeader = "x-moto-account-id";

/**
 * Sends a request to moto, which reads the service and the region from the signature. It does not verify signatures.
 *
 * @param request Its host and signature are replaced. The headers from which moto would read another region or decode
 * the body again are removed.
 */
export function sendToMoto(
  moto: string,
  request: HttpRequest,
  accountId: string,
  {
    accessKeyId = accountKeys(accountId).accessKeyId,
    region,
    service,
  }: Pick<Call, "accessKeyId" | "region" | "service">,
): Promise<HttpResponse> {
  const { "user-agent": _, "x-amz-content-sha256": __, ...own } = request.headers;
  const scope = `${accessKeyId}/20000101/${region}/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  const headers = { ...own, host: new URL(moto).host, [accountHeader]: accountId, authorization };
  return forward(moto, { ...request, headers });
}

/** A region of each partition other than `aws`: moto derives the partition from the region. */
const regions: Record<string, string> = { "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1" };

/** Reads moto's state. Results are cached until {@link Store.forget}. */
export class Store {
  readonly #read = new Map<string, Promise<unknown>>();
  readonly #readers = new Map<string, AccountReader>();

  constructor(private readonly moto: string) {}

  /** Clears the cache. Call it when policies may have changed. */
  forget(): void {
    this.#read.clear();
  }

  /** Undefined if the account has no such role. */
  role(account: Account, name: string): Promise<StoredRole | undefined> {
    return this.#once(`role ${accountKey(account)} ${name}`, () => this.#readRole(account, name));
  }

  /** The audiences of an OIDC provider. Undefined if the account has no such provider. */
  audiences(account: Account, providerArn: string): Promise<readonly string[] | undefined> {
    return this.#once(`provider ${accountKey(account)} ${providerArn}`, () =>
      this.#iam(account).audiences(providerArn),
    );
  }

  /** The path of a user. Undefined if there is no such user. */
  userPath(account: Account, name: string): Promise<string | undefined> {
    return this.#once(`user ${accountKey(account)} ${name}`, () => this.#iam(account).userPath(name));
  }

  /** The default version of a managed policy. A policy that does not exist allows nothing. */
  managedPolicy(account: Account, arn: string): Promise<NamedPolicy> {
    return this.#once(`policy ${accountKey(account)} ${arn}`, () => this.#iam(account).managedPolicy(arn));
  }

  /** Undefined if the bucket has no policy. */
  bucketPolicy(account: Account, bucket: string): Promise<NamedPolicy | undefined> {
    return this.#once(`bucket ${bucket}`, async () => {
      const { status, body } = await this.#send(account, "us-east-1", "s3", { url: `/${bucket}?policy` });
      if (status !== 200) return undefined;
      return { name: `policy of bucket ${bucket}`, document: parseDocument(body.toString()) };
    });
  }

  /** The KMS key of an object. Undefined if it is not encrypted with one, or does not exist. */
  async objectKey(account: Account, region: string, url: string): Promise<string | undefined> {
    const { headers } = await this.#send(account, region, "s3", { method: "HEAD", url });
    return headers["x-amz-server-side-encryption-aws-kms-key-id"] as string | undefined;
  }

  /** The KMS key that a bucket encrypts new objects with by default. */
  async bucketKey(account: Account, region: string, bucket: string): Promise<string | undefined> {
    const { body } = await this.#send(account, region, "s3", { url: `/${bucket}?encryption` });
    return /<KMSMasterKeyID>(.+?)<\/KMSMasterKeyID>/.exec(body.toString())?.[1];
  }

  /** The name of the partition key of a table, or of one of its indexes. */
  async partitionKey(account: Account, region: string, table: string, index?: string): Promise<string | undefined> {
    const described = await this.#once(`table ${accountKey(account)} ${region} ${table}`, () =>
      this.#json(account, region, "dynamodb", "DynamoDB_20120810.DescribeTable", { TableName: table }),
    );
    const { GlobalSecondaryIndexes: global = [], LocalSecondaryIndexes: local = [], ...own } = described?.Table ?? {};
    const { KeySchema: schema = [] } =
      index === undefined ? own : ([...global, ...local].find(({ IndexName }) => IndexName === index) ?? {});
    return schema.find((part: JsonObject) => part.KeyType === "HASH")?.AttributeName;
  }

  /** The key of a multipart upload. Undefined if there is no such upload. */
  async uploadKey(account: Account, region: string, bucket: string, uploadId: string): Promise<string | undefined> {
    const { status, body } = await this.#send(account, region, "s3", { url: `/${bucket}?uploads` });
    if (status !== 200) return undefined;
    const uploads = [parseXML(body.toString()).ListMultipartUploadsResult?.Upload ?? []].flat();
    return uploads.find(({ UploadId }) => UploadId === uploadId)?.Key;
  }

  /** The ARN of a KMS key, given its id, ARN or alias. */
  keyArn(account: Account, region: string, keyId: string): Promise<string | undefined> {
    return this.#once(`key ${accountKey(account)} ${region} ${keyId}`, async () => {
      return (await this.#json(account, region, "kms", "TrentService.DescribeKey", { KeyId: keyId }))?.KeyMetadata.Arn;
    });
  }

  /** The key policy of a KMS key. */
  keyPolicy(account: Account, region: string, keyArn: string): Promise<NamedPolicy | undefined> {
    return this.#once(`key policy ${keyArn}`, async () => {
      const request = { KeyId: keyArn, PolicyName: "default" };
      const answer = await this.#json(account, region, "kms", "TrentService.GetKeyPolicy", request);
      return answer && { name: `policy of key ${keyArn}`, document: parseDocument(answer.Policy) };
    });
  }

  async #readRole(account: Account, name: string): Promise<StoredRole | undefined> {
    const iam = this.#iam(account);
    const managedPolicy = (arn: string) => this.managedPolicy(account, arn);
    const [role, identity] = await Promise.all([iam.role(name), iam.policies(name, managedPolicy)]);
    if (role === undefined) return undefined;
    const trust = { name: `trust policy of ${name}`, document: role.trustPolicy };
    return { ...role, trust, identity, boundary: role.boundaryArn ? await managedPolicy(role.boundaryArn) : undefined };
  }

  #once<T>(name: string, read: () => Promise<T>): Promise<T> {
    const known = this.#read.get(name) ?? read();
    this.#read.set(name, known);
    known.catch(() => this.#read.delete(name));
    return known as Promise<T>;
  }

  #iam({ accountId, partition }: Account): AccountReader {
    const key = accountKey({ accountId, partition });
    const reader =
      this.#readers.get(key) ?? new AccountReader(iamClient(this.moto, accountId, regions[partition] ?? "us-east-1"));
    this.#readers.set(key, reader);
    return reader;
  }

  async #json(account: Account, region: string, service: string, target: string, request: JsonObject) {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
    const body = Buffer.from(JSON.stringify(request));
    // Without a query, moto reads parameters from the body as if it were a form.
    const url = `/?Action=${target.split(".")[1]}`;
    const answer = await this.#send(account, region, service, { method: "POST", url, headers, body });
    return answer.status === 200 ? (JSON.parse(answer.body.toString()) as JsonObject) : undefined;
  }

  /** Sends a request as the administrator of the account. */
  #send({ accountId }: Account, region: string, service: string, request: Partial<HttpRequest>) {
    const { accessKeyId } = accountKeys(accountId);
    const { method = "GET", url = "/", headers = {}, body = Buffer.alloc(0) } = request;
    return sendToMoto(this.moto, { method, url, headers, body }, accountId, { accessKeyId, region, service });
  }
}

function accountKey({ accountId, partition }: Account): string {
  return `${partition} ${accountId}`;
}

function iamClient(endpoint: string, accountId: string, region: string): IAMClient {
  const client = new IAMClient({ endpoint, region, credentials: accountKeys(accountId) });
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers[accountHeader] = accountId;
      return next(args);
    },
    { step: "build" },
  );
  return client;
}
