/** A range of IP addresses: those with the same first `prefix` bits. */
export interface Cidr {
  readonly version: 4 | 6;
  readonly bits: bigint;
  /** Undefined for an IPv6 address without a prefix: AWS documents a default of 32, which fits IPv4 only. */
  readonly prefix?: number;
}

const width = { 4: 32, 6: 128 } as const;

/**
 * Parses `203.0.113.0/24`, `2001:db8::/32` or a single address. Undefined for anything else.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
 */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  if (length === undefined) return parsed.version === 4 ? { ...parsed, prefix: 32 } : parsed;
  const prefix = Number(length);
  return prefix > width[parsed.version] ? undefined : { ...parsed, prefix };
}

/** Whether an address is in the range. Undefined if the text is not an address, or the range is not known exactly. */
export function matchesCidr(range: Cidr, text: string): boolean | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  if (address.version !== range.version) return false;
  const isIn = (prefix: number) => {
    const shift = BigInt(width[range.version] - prefix);
    return address.bits >> shift === range.bits >> shift;
  };
  if (range.prefix !== undefined) return isIn(range.prefix);
  return isIn(128) === isIn(32) ? isIn(128) : undefined;
}

// Some parsers read a leading zero in an IPv4 address as octal, so it is refused.
const VERSIONS = {
  4: { parts: 4, part: /^(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/, radix: 10, bits: 8n },
  6: { parts: 8, part: /^[0-9a-f]{1,4}$/i, radix: 16, bits: 16n },
};

function parseAddress(text: string): Pick<Cidr, "version" | "bits"> | undefined {
  const version = text.includes(":") ? 6 : 4;
  const { parts: count, part, radix, bits: size } = VERSIONS[version];
  const parts = version === 4 ? text.split(".") : groupsOfV6(text);
  if (parts.length !== count || !parts.every((each) => part.test(each))) return undefined;
  return { version, bits: parts.reduce((bits, each) => (bits << size) | BigInt(Number.parseInt(each, radix)), 0n) };
}

/** The groups of an IPv6 address, with `::` expanded. Empty if `::` occurs twice or replaces nothing. */
function groupsOfV6(text: string): string[] {
  const [head = [], tail, ...more] = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
  if (tail === undefined) return head;
  const missing = 8 - head.length - tail.length;
  return more.length > 0 || missing < 1 ? [] : [...head, ...new Array<string>(missing).fill("0"), ...tail];
}
