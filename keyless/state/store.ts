import { DeleteItemCommand, DescribeTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { StateBackend } from "../config/resolved";
import { UserError } from "../errors";

/** Which parts of a state backend exist in the account. */
export interface Found {
  readonly bucket: boolean;
  readonly bucketIsEmpty: boolean;
  readonly table: boolean;
  /** Whether the backend's own state is in the bucket. */
  readonly state: boolean;
}

/** Reads and writes a state backend through the AWS SDK, with the credentials of its default chain. */
export class StateStore {
  private readonly s3: S3Client;
  private readonly dynamodb: DynamoDBClient;

  constructor(private readonly backend: StateBackend) {
    const { bucket, region } = backend.state;
    // AWS's wildcard certificate does not cover a bucket name with dots.
    this.s3 = new S3Client({ region, forcePathStyle: bucket.includes(".") });
    this.dynamodb = new DynamoDBClient({ region });
  }

  async find(): Promise<Found> {
    const { bucket, key, lockTable } = this.backend.state;
    const owned = { Bucket: bucket, ExpectedBucketOwner: this.backend.accountId };
    const exists = await this.exists(`bucket ${bucket}`, this.s3.send(new HeadBucketCommand(owned)));
    const table = new DescribeTableCommand({ TableName: lockTable });
    return {
      bucket: exists,
      bucketIsEmpty: exists && (await this.s3.send(new ListObjectsV2Command({ ...owned, MaxKeys: 1 }))).KeyCount === 0,
      table: lockTable !== undefined && (await this.exists(`table ${lockTable}`, this.dynamodb.send(table))),
      state: exists && (await this.has(key)),
    };
  }

  /** Whether the bucket has an object with this key. */
  has(key: string): Promise<boolean> {
    const object = { Bucket: this.backend.state.bucket, Key: key, ExpectedBucketOwner: this.backend.accountId };
    return this.exists(key, this.s3.send(new HeadObjectCommand(object)));
  }

  /**
   * Stores the first state in the bucket. Of concurrent runs, only one succeeds.
   *
   * @throws {UserError} if the bucket already has a state
   */
  async putFirstState(body: Buffer): Promise<void> {
    const { name, accountId, state } = this.backend;
    const encryption =
      state.kmsKeyArn === undefined
        ? { ServerSideEncryption: "AES256" as const }
        : { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: state.kmsKeyArn };
    const object = { Bucket: state.bucket, Key: state.key, Body: body, ContentType: "application/json", ...encryption };
    const command = new PutObjectCommand({ ...object, ExpectedBucketOwner: accountId, IfNoneMatch: "*" });
    await this.s3.send(command).catch((error: Error) => {
      if (error.name !== "PreconditionFailed") throw error;
      throw new UserError(`another run has stored the state of ${name} in the bucket in the meantime: run this again`);
    });
  }

  /** Releases the locks of the backend's own state that an owner holds. Returns whether there was one. */
  async releaseLock(owner: string): Promise<boolean> {
    const held = [await this.lockItem(), await this.lockFile()].filter((lock) => lock?.owner === owner);
    for (const lock of held) await lock?.release();
    return held.length > 0;
  }

  private async lockItem() {
    const { bucket, key, lockTable } = this.backend.state;
    if (lockTable === undefined) return undefined;
    const item = { TableName: lockTable, Key: { LockID: { S: `${bucket}/${key}` } } };
    const { Item } = await this.dynamodb.send(new GetItemCommand({ ...item, ConsistentRead: true }));
    if (Item?.Info?.S === undefined) return undefined;
    return { owner: JSON.parse(Item.Info.S).Who, release: () => this.dynamodb.send(new DeleteItemCommand(item)) };
  }

  private async lockFile() {
    const { bucket, key, lock } = this.backend.state;
    if (lock === "dynamodb") return undefined;
    const object = { Bucket: bucket, Key: `${key}.tflock`, ExpectedBucketOwner: this.backend.accountId };
    if (!(await this.exists(object.Key, this.s3.send(new HeadObjectCommand(object))))) return undefined;
    const { Body } = await this.s3.send(new GetObjectCommand(object));
    const info = JSON.parse((await Body?.transformToString()) ?? "{}");
    return { owner: info.Who, release: () => this.s3.send(new DeleteObjectCommand(object)) };
  }

  private async exists(what: string, request: Promise<unknown>): Promise<boolean> {
    try {
      await request;
      return true;
    } catch (error) {
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      const status = $metadata?.httpStatusCode;
      if (status === 404 || name === "ResourceNotFoundException") return false;
      if (status !== 403 && status !== 301) throw new UserError(`cannot read ${what} from AWS: ${name}: ${message}`);
      const { accountId, state } = this.backend;
      throw new UserError(
        `${what} is not accessible to account ${accountId} in ${state.region}: use an administrator's credentials, or ` +
          "choose another name, since a bucket of this name may exist in another account or region",
      );
    }
  }
}
