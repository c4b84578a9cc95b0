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
