/** The network addresses from which a client's document may be fetched: those of the open internet, and none in a network of this server. */
import { BlockList, isIP } from 'node:net';

/** The IPv4 ranges that do not belong to the open internet (RFC 6890 and its successors). */
const CLOSED_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // this machine
  '169.254.0.0/16', // link-local, and the metadata services of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/** The IPv6 range of the open internet, and the parts of it that are excluded: among them those that stand for an IPv4 address or a tunnel. */
const OPEN_IPV6 = '2000::/3';
const CLOSED_IPV6 = [
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];

/** Makes the check whether an address, in its usual spelling, belongs to the open internet. */
export function createAddressGuard(): (address: string) => boolean {
  const closed = new BlockList();
  const open = new BlockList();
  for (const subnet of CLOSED_IPV4) addSubnet(closed, subnet, 'ipv4');
  for (const subnet of CLOSED_IPV6) addSubnet(closed, subnet, 'ipv6');
  addSubnet(open, OPEN_IPV6, 'ipv6');
  return (address) => {
    if (isIP(address) === 4) return !closed.check(address, 'ipv4');
    return isIP(address) === 6 && open.check(address, 'ipv6') && !closed.check(address, 'ipv6');
  };
}

/** Adds a subnet that is written as `address/bits`. */
function addSubnet(list: BlockList, subnet: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', bits] = subnet.split('/');
  list.addSubnet(address, Number(bits), family);
}
