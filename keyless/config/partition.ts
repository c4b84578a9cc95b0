import { partition } from "@aws-sdk/core/client";

/**
 * The AWS partition of a region: its name in ARNs (`aws`, `aws-cn`, `aws-us-gov`, …) and the DNS suffix of its service
 * endpoints, e.g. `amazonaws.com`. Read from the table of the AWS SDK; `aws` for a region that is not in the table.
 *
 * @see https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
 */
export function partitionOf(region: string): { readonly name: string; readonly dnsSuffix: string } {
  const { name, dnsSuffix } = partition(region);
  return { name, dnsSuffix };
}

/** Whether the table of the AWS SDK has a region. Regions that are newer than the SDK are not in it. */
export function isKnownRegion(region: string): boolean {
  // The description is that of the region, and not of its partition.
  return "description" in partition(region);
}

const AREAS = "af ap ca cn eu eu-isoe eusc-de il me mx sa us us-gov us-iso us-isob us-isof".split(" ");
const DIRECTIONS = "central east north northeast northwest south southeast southwest west".split(" ");

/** The regions in the table of the AWS SDK, which exports no list of them: every name of the usual form that it has. */
export function knownRegions(): string[] {
  const numbers = Array.from({ length: 9 }, (_, index) => index + 1);
  return AREAS.flatMap((area) =>
    DIRECTIONS.flatMap((direction) => numbers.map((number) => `${area}-${direction}-${number}`)),
  ).filter(isKnownRegion);
}
