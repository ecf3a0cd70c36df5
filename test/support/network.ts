/**
 * Hosts of their own on this machine: each has a network namespace, and a bridge joins them. Between hosts that are parted, packets
 * vanish without an error, as when a cable or a switch fails; a proxy would close connections or confirm bytes.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { waitFor } from './redis-node.js';

const FIRST = '10.77.0.';
const BRIDGE = 'quotagate';
/** Takes every packet, and passes none on: a cable to nowhere, on which nobody is asked for an address. */
const SINK = 'sink';
const OWN = 'TEST_NETWORK';

/** Set in a process that `ownNetwork` started. */
export const isInOwnNetwork = process.env[OWN] === '1';

/** Root is not needed where user namespaces are allowed. */
const UNSHARE = ['--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];

/** Why a process cannot have a network of its own here; false if it can. */
export function skipWithoutNetworks(): string | false {
  const tried = spawnSync('unshare', [...UNSHARE, 'ip', 'link', 'add', BRIDGE, 'type', 'bridge']);
  return tried.status === 0 ? false : 'network namespaces need root or user namespaces, unshare and ip';
}

/** Starts a program in a network of its own, in which `Network` can be used. */
export function ownNetwork(program: string, args: readonly string[]) {
  return {
    command: 'unshare',
    args: [...UNSHARE, program, ...args],
    env: { ...process.env, [OWN]: '1' },
  };
}

function ip(line: string): void {
  execFileSync('ip', line.split(' '));
}

/** A new network has none yet. */
export function startLoopback(): void {
  ip('link set lo up');
}

export class NetworkHost {
  constructor(
    readonly address: string,
    readonly pid: number,
  ) {}

  /** How a program is started on it; the process keeps its pid. */
  command(program: string, args: readonly string[]): [program: string, args: string[]] {
    return ['nsenter', ['--target', String(this.pid), '--net', program, ...args]];
  }

  ip(line: string): void {
    execFileSync(...this.command('ip', line.split(' ')));
  }
}

export class Network {
  /** This process, as the hosts see it. */
  readonly address = `${FIRST}1`;
  private readonly hosts: NetworkHost[] = [];

  private constructor() {}

  static start(): Network {
    startLoopback();
    ip(`link add ${BRIDGE} type bridge`);
    ip(`address add ${FIRST}1/24 dev ${BRIDGE}`);
    ip(`link set ${BRIDGE} up`);
    return new Network();
  }

  async addHost(): Promise<NetworkHost> {
    const number = this.hosts.length + 2;
    const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
    const pid = holder.pid ?? 0;
    const own = readlinkSync('/proc/self/ns/net');
    await waitFor('the host has its namespace', async () => readlinkSync(`/proc/${pid}/ns/net`) !== own);
    const host = new NetworkHost(`${FIRST}${number}`, pid);
    this.hosts.push(host);
    ip(`link add port${number} type veth peer name eth0 netns ${pid}`);
    ip(`link set port${number} master ${BRIDGE} up`);
    host.ip('link set lo up');
    host.ip(`address add ${host.address}/24 dev eth0`);
    host.ip('link set eth0 up');
    host.ip(`link add ${SINK} arp off type veth peer name nowhere`);
    host.ip(`link set ${SINK} up`);
    host.ip('link set nowhere up');
    return host;
  }

  /** No packet passes between the two sides until `join`. */
  part(one: readonly NetworkHost[], other: readonly NetworkHost[]): void {
    for (const a of one)
      for (const b of other) {
        a.ip(`route replace ${b.address}/32 dev ${SINK}`);
        b.ip(`route replace ${a.address}/32 dev ${SINK}`);
      }
  }

  join(): void {
    for (const host of this.hosts) host.ip(`route flush dev ${SINK}`);
  }

  close(): void {
    for (const { pid } of this.hosts) process.kill(pid, 'SIGKILL');
    ip(`link delete ${BRIDGE}`);
  }
}
