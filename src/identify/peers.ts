/** Checks whether a peer is trusted: compares the socket's address with a list of subnets. */
import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';

/** A gateway has few trusted peers; unknown peers displace each other in the cache. */
const REMEMBERED_ADDRESSES = 4_096;

const MAPPED = /^::ffff:(?=\d+\.)/i;

/**
 * Compiles subnets (or single addresses) to a check of a socket's address. IPv4 and IPv6 are separate: Node matches an
 * IPv4 address against `::/0` too, and an operator who lists that does not mean to trust all of IPv4.
 */
export function trustedPeers(peers: readonly string[]): (address: string | undefined) => boolean {
  const lists = { 4: new BlockList(), 6: new BlockList() };
  for (const peer of peers) addPeer(lists, peer);
  const remembered = new LRUCache<string, boolean>({ max: REMEMBERED_ADDRESSES });
  return (address) => {
    if (address === undefined) return false;
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const trusted = isListed(lists, address);
    remembered.set(address, trusted);
    return trusted;
  };
}

interface Lists {
  readonly 4: BlockList;
  readonly 6: BlockList;
}

function isListed(lists: Lists, address: string): boolean {
  const plain = address.replace(MAPPED, '');
  const family = isIP(plain);
  if (family === 4) return lists[4].check(plain, 'ipv4');
  return family === 6 && lists[6].check(plain, 'ipv6');
}

function addPeer(lists: Lists, peer: string): void {
  const [address = '', bits, ...rest] = peer.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  const usable = family !== 0 && rest.length === 0 && prefix <= most && !MAPPED.test(address);
  if (!usable) throw new Error(`trusted peer ${peer} is neither an address nor a subnet such as 10.0.0.0/8`);
  if (family === 4) lists[4].addSubnet(address, prefix, 'ipv4');
  else lists[6].addSubnet(address, prefix, 'ipv6');
}
