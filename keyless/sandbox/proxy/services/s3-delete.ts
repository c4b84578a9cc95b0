import { parseXML, XmlNode } from "@aws-sdk/xml-builder";
import { AwsError } from "../aws-error";

/** An object of a multi-object delete. */
interface DeletedObject {
  readonly key: string;
  readonly versionId?: string;
  /** The conditions `ETag`, `LastModifiedTime` and `Size`. */
  readonly conditions: readonly (readonly [string, string])[];
}

/**
 * Parses the body of a multi-object delete.
 *
 * @throws {AwsError} if it has other elements than S3's API, or an object without one key
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export function deletedObjects(body: Buffer): { readonly objects: readonly DeletedObject[]; readonly quiet: boolean } {
  const { Object: given, Quiet: quiet = "false", xmlns: _, ...others } = xmlElement(body, "Delete");
  const objects = (Array.isArray(given) ? given : given === undefined ? [] : [given]).map((object: unknown) => {
    const { Key: key, VersionId: versionId, ...conditions } = (object ?? {}) as Record<string, unknown>;
    const pairs = Object.entries(conditions);
    if (!isNonEmpty(key) || !(versionId === undefined || typeof versionId === "string")) throw malformedXml();
    if (!pairs.every(([name, value]) => /^(ETag|LastModifiedTime|Size)$/.test(name) && isNonEmpty(value)))
      throw malformedXml();
    return { key, versionId: versionId || undefined, conditions: pairs as [string, string][] };
  });
  const isQuiet = /^(true|false)$/.test(String(quiet));
  if (!isQuiet || objects.length === 0 || Object.keys(others).length > 0) throw malformedXml();
  return { objects, quiet: quiet === "true" };
}

const isNonEmpty = (value: unknown): value is string => typeof value === "string" && value !== "";

function xmlElement(body: Buffer, name: string): Record<string, unknown> {
  try {
    const element = parseXML(body.toString())[name];
    if (typeof element === "object" && element !== null) return element;
  } catch {}
  throw malformedXml();
}

/** The body of a multi-object delete, which {@link deletedObjects} parses. */
export function deletionBody({ objects, quiet }: ReturnType<typeof deletedObjects>): Buffer {
  const root = new XmlNode("Delete");
  for (const { key, versionId, conditions } of objects) {
    const fields = [["Key", key], ...(versionId ? [["VersionId", versionId]] : []), ...conditions];
    root.c(
      new XmlNode(
        "Object",
        fields.map(([name = "", value]) => XmlNode.of(name, value)),
      ),
    );
  }
  return Buffer.from(root.c(XmlNode.of("Quiet", String(quiet))).toString());
}

function malformedXml(): AwsError {
  return new AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate");
}
