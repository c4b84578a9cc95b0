import { AwsError } from "../aws-error";
import { type Call, type JsonObject, presentKeys, type RequiredPermission, type ResourceState } from "../call";

/** An action on a table, and the items in the request. */
interface OnTable {
  readonly action: string;
  readonly table?: string;
  readonly items?: readonly (JsonObject | undefined)[];
}

/** The tables in a request, by name or ARN as in the request. */
export function tablesOf(call: Call): string[] {
  return onTables(call).flatMap(({ table }) => table ?? []);
}

/**
 * The permissions that a request to DynamoDB requires, one for each table.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
export function dynamoDbPermissions(call: Call, state: ResourceState): RequiredPermission[] {
  const { operation = "", json } = call;
  const arn = arnOf(operation, json);
  if (arn !== undefined) return [{ action: `dynamodb:${operation}`, resource: String(arn), context: {} }];
  const index = indexOf(call);
  return onTables(call).map(({ action, table, items = [] }) => {
    const partitionKey = state.partitionKeys?.[table ?? ""];
    const all = operation === "Query" ? [queriedKey(json, partitionKey)] : items;
    return {
      action: `dynamodb:${action}`,
      resource: `${tableArn(call, state, table)}${index === undefined ? "" : `/index/${index}`}`,
      context: presentKeys({
        "dynamodb:LeadingKeys": leadingKeys(all, partitionKey),
        "dynamodb:EnclosingOperation": /Transact/.test(operation) ? operation : undefined,
      }),
      unsupported: action.startsWith("PartiQL")
        ? "the sandbox does not read the keys of PartiQL statements"
        : undefined,
    };
  });
}

/** The index that a request reads. */
export function indexOf({ operation = "", json }: Call): string | undefined {
  return /^(Query|Scan)$/.test(operation) && json.IndexName ? String(json.IndexName) : undefined;
}

/** The ARN in operations on tags, resource policies, streams and backups. */
function arnOf(operation: string, json: JsonObject): unknown {
  if (/^(Tag|Untag)Resource$|^ListTagsOfResource$|ResourcePolicy$/.test(operation)) return json.ResourceArn;
  if (/^(DescribeStream|GetShardIterator)$/.test(operation)) return json.StreamArn;
  return /^(DescribeBackup|DeleteBackup)$/.test(operation) ? json.BackupArn : undefined;
}

function onTables({ operation = "", json }: Call): OnTable[] {
  switch (operation) {
    case "BatchGetItem":
    case "BatchWriteItem":
      return entries(json.RequestItems).map(([table, requests]) => {
        const written = objects(requests).map((one) => one.PutRequest?.Item ?? one.DeleteRequest?.Key);
        return { action: operation, table, items: operation === "BatchGetItem" ? objects(requests.Keys) : written };
      });
    case "TransactGetItems":
    case "TransactWriteItems":
      return objects(json.TransactItems).flatMap((item) =>
        entries(item).map(([kind, { TableName, Key, Item }]) => ({
          action: kind === "ConditionCheck" ? "ConditionCheckItem" : `${kind}Item`,
          table: TableName,
          items: [kind === "Put" ? Item : Key],
        })),
      );
    case "ExecuteStatement":
      return [onStatement(json.Statement)];
    case "BatchExecuteStatement":
      return objects(json.Statements).map(({ Statement }) => onStatement(Statement));
    case "ExecuteTransaction":
      return objects(json.TransactStatements).map(({ Statement }) => onStatement(Statement));
    case "PutItem":
      return [{ action: operation, table: json.TableName, items: [json.Item] }];
    default:
      return [{ action: operation, table: json.TableName, items: operation.endsWith("Item") ? [json.Key] : [] }];
  }
}

/** The action of a PartiQL statement. The table and the items are not read from the statement. */
function onStatement(statement: unknown): OnTable {
  const verb = /^\s*(select|insert|update|delete)\b/i.exec(String(statement))?.[1]?.toLowerCase() ?? "";
  return { action: `PartiQL${verb.charAt(0).toUpperCase()}${verb.slice(1)}` };
}

function entries(value: unknown): [string, JsonObject][] {
  return Object.entries((value ?? {}) as Record<string, JsonObject>);
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value : [];
}

function tableArn({ region }: Call, { partition, accountId }: ResourceState, name: string | undefined): string {
  if (name === undefined) return "*";
  const own = `arn:${partition}:dynamodb:${region}:${accountId}:table/`;
  // moto ignores the account and the region in an ARN.
  if (name.startsWith("arn:") && !name.startsWith(own))
    throw validationError("Cross-account requests are not supported");
  return name.startsWith("arn:") ? name : `${own}${name}`;
}

/** The values of the partition key. A value that is not known must not be missing from the condition key. */
function leadingKeys(items: readonly (JsonObject | undefined)[], partitionKey: string | undefined): string[] {
  // The table does not exist.
  if (partitionKey === undefined) return [];
  return items.map((item) => {
    const { S, N, B } = item?.[partitionKey] ?? {};
    const value = S ?? N ?? B;
    if (typeof value !== "string") throw validationError("The provided key element does not match the schema");
    return value;
  });
}

/** The value of the partition key in a query. DynamoDB allows only `=` for the partition key, and once. */
function queriedKey(json: JsonObject, partitionKey = ""): JsonObject | undefined {
  const comparisons = [...String(json.KeyConditionExpression ?? "").matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g)].filter(
    ([, name = ""]) => (json.ExpressionAttributeNames?.[name] ?? name) === partitionKey,
  );
  const [, , value = ""] = comparisons[0] ?? [];
  if (comparisons.length === 1) return { [partitionKey]: json.ExpressionAttributeValues?.[value] };
  const legacy = json.KeyConditions?.[partitionKey]?.AttributeValueList?.[0];
  return json.KeyConditionExpression === undefined ? legacy && { [partitionKey]: legacy } : undefined;
}

function validationError(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
