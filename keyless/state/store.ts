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

/** What there is of a state backend in the account. */
export interface Found {
  readonly bucket: boolean;
  readonly bucketIsEmpty: boolean;
  readonly table: boolean;
  /** Whether the backend's own state is in the bucket. */
  readonly state: boolean;
}

/** A state backend as it stands in AWS, asked directly; credentials are those that the AWS CLI would use. */
export class StateStore {
  private readonly s3: S3Client;
  private readonly dynamodb: DynamoDBClient;

  constructor(private readonly backend: StateBackend) {
    const { bucket, region } = backend.state;
    // No certificate and no local host fits a bucket with dots in its name.
    this.s3 = new S3Client({ region, forcePathStyle: bucket.includes(".") });
    this.dynamodb = new DynamoDBClient({ region });
  }

  async find(): Promise<Found> {
    const { bucket, key, lockTable } = this.backend.state;
    const owned = { Bucket: bucket, ExpectedBucketOwner: this.backend.accountId };
    const exists = await this.exists(this.s3.send(new HeadBucketCommand(owned)), `bucket ${bucket}`);
    return {
      bucket: exists,
      bucketIsEmpty: exists && (await this.s3.send(new ListObjectsV2Command({ ...owned, MaxKeys: 1 }))).KeyCount === 0,
      table:
        lockTable !== undefined &&
        (await this.exists(
          this.dynamodb.send(new DescribeTableCommand({ TableName: lockTable })),
          `table ${lockTable}`,
        )),
      state: exists && (await this.exists(this.s3.send(new HeadObjectCommand({ ...owned, Key: key })), key)),
    };
  }

  /**
   * Puts the first state into the bucket. Of two runs at the same time only one succeeds.
   *
   * @throws {UserError} when a state is there already
   */
  async putFirstState(body: Buffer): Promise<void> {
    const { bucket, key, kmsKeyArn } = this.backend.state;
    try {
      await this.s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          ExpectedBucketOwner: this.backend.accountId,
          Key: key,
          Body: body,
          IfNoneMatch: "*",
          ContentType: "application/json",
          ...(kmsKeyArn === undefined
            ? { ServerSideEncryption: "AES256" }
            : { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyArn }),
        }),
      );
    } catch (error) {
      if (!(error instanceof Error && error.name === "PreconditionFailed")) throw error;
      throw new UserError(
        `another run has put the state of ${this.backend.name} into the bucket meanwhile: run this again`,
      );
    }
  }

  /** Gives a lock of the backend's own state back, if it is held in this name; whether one was. */
  async releaseLock(who: string): Promise<boolean> {
    const held = [await this.lockItem(), await this.lockFile()].filter((lock) => lock?.who === who);
    for (const lock of held) await lock?.release();
    return held.length > 0;
  }

  private async lockItem() {
    const { bucket, key, lockTable } = this.backend.state;
    if (lockTable === undefined) return undefined;
    const item = { TableName: lockTable, Key: { LockID: { S: `${bucket}/${key}` } } };
    const { Item } = await this.dynamodb.send(new GetItemCommand({ ...item, ConsistentRead: true }));
    if (Item?.Info?.S === undefined) return undefined;
    return { who: JSON.parse(Item.Info.S).Who, release: () => this.dynamodb.send(new DeleteItemCommand(item)) };
  }

  private async lockFile() {
    const { bucket, key, lock } = this.backend.state;
    if (lock === "dynamodb") return undefined;
    const object = { Bucket: bucket, Key: `${key}.tflock`, ExpectedBucketOwner: this.backend.accountId };
    if (!(await this.exists(this.s3.send(new HeadObjectCommand(object)), object.Key))) return undefined;
    const { Body } = await this.s3.send(new GetObjectCommand(object));
    const info = JSON.parse((await Body?.transformToString()) ?? "{}");
    return { who: info.Who, release: () => this.s3.send(new DeleteObjectCommand(object)) };
  }

  private async exists(request: Promise<unknown>, what: string): Promise<boolean> {
    try {
      await request;
      return true;
    } catch (error) {
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      if ($metadata?.httpStatusCode === 404 || name === "ResourceNotFoundException") return false;
      throw new UserError(
        $metadata?.httpStatusCode === 403 || $metadata?.httpStatusCode === 301
          ? `${what} is not accessible to account ${this.backend.accountId} in ${this.backend.state.region}: bucket names ` +
              "are shared by all of AWS, so it may be somebody else's, or in another region; choose another name, or use credentials of an administrator"
          : `asking AWS about ${what} failed: ${name}: ${message}`,
      );
    }
  }
}
