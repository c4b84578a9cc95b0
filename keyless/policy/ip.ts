/** A range of IP addresses: those with the same first `prefix` bits. */
export interface Cidr {
  readonly version: 4 | 6;
  readonly bits: bigint;
  readonly prefix: number;
}

const width = { 4: 32, 6: 128 } as const;

/** Parses `203.0.113.0/24`, `2001:db8::/32` or a single address. Undefined for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  const prefix = length === undefined ? width[parsed.version] : Number(length);
  return prefix > width[parsed.version] ? undefined : { ...parsed, prefix };
}

/** Whether an address is in the range. Undefined if the text is not an address. */
export function matchesCidr(range: Cidr, text: string): boolean | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  const shift = BigInt(width[range.version] - range.prefix);
  return address.version === range.version && address.bits >> shift === range.bits >> shift;
}

function parseAddress(text: string): Pick<Cidr, "version" | "bits"> | undefined {
  const version = text.includes(":") ? 6 : 4;
  const parts = version === 4 ? bytesOfV4(text) : groupsOfV6(text);
  if (parts === undefined) return undefined;
  const size = version === 4 ? 8n : 16n;
  return { version, bits: parts.reduce((bits, part) => (bits << size) | BigInt(part), 0n) };
}

function bytesOfV4(text: string): number[] | undefined {
  const parts = text.split(".");
  // Some parsers read a leading zero as octal, so it is refused.
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return valid ? parts.map(Number) : undefined;
}

function groupsOfV6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : readGroups(half)));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 8 ? head : undefined;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function readGroups(text: string): number[] | undefined {
  const groups = text.split(":");
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}
