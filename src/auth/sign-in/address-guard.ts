/** Which network addresses a client's document may be read from: those of the open internet, and none that this server is near to. */
import { BlockList, isIP } from 'node:net';

/** What is not the open internet: RFC 6890 and its successors, by address family. */
const CLOSED_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // of carriers
  '127.0.0.0/8', // this machine
  '169.254.0.0/16', // link-local, and what clouds tell their machines about themselves
  '172.16.0.0/12', // private
  '192.0.0.0/24', // of protocols
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

/** Of IPv6 only what is given out to the open internet, without what stands for an IPv4 address or a tunnel in it. */
const OPEN_IPV6 = '2000::/3';
const CLOSED_IPV6 = [
  '2001::/23', // of protocols, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];

/** Makes the check of an address in its usual spelling. */
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

/** Adds `address/bits`. */
function addSubnet(list: BlockList, subnet: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', bits] = subnet.split('/');
  list.addSubnet(address, Number(bits), family);
}
