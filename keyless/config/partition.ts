import { partition } from "@aws-sdk/core/client";

/** An AWS partition: a group of regions with an ARN namespace and a DNS suffix of its own. */
export interface Partition {
  /** As ARNs spell it: `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly name: string;
  /** The DNS suffix of its service endpoints, e.g. `amazonaws.com`. */
  readonly dnsSuffix: string;
}

/**
 * The partition of a region, from the table of the AWS SDK; `aws` for a region that the table does not know.
 *
 * @see https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
 */
export function partitionOf(region: string): Partition {
  const { name, dnsSuffix } = partition(region);
  return { name, dnsSuffix };
}
