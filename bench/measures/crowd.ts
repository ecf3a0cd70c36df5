/** 64 connections: quotagate without a quota, with quotas, and its peers. */
import { type Contest, contest, cpuOf, type Rows, rowOf, tableOf } from '../gateway/contest.js';
import type { Aim } from '../lib/table.js';
import { startPeers } from '../peers/index.js';
import type { Field, Measured } from './measure.js';

/** Maximum CPU as a share of a peer's CPU. */
const PEER_AIMS: Readonly<Record<string, number>> = {
  'nginx + Lua + Redis': 0.95,
  'Fastify http-proxy + rate-limit': 0.5,
  'Envoy + ratelimit': 0.33,
};

export async function crowd(field: Field, options: Contest, withPeers: boolean): Promise<Measured> {
  const { peers, leftOut } = withPeers ? await startPeers(field) : { peers: [], leftOut: [] };
  try {
    const servers = [field.plain, field.strict, field.embedded, ...peers];
    const rows = await contest(
      servers.map((server) => ({ server })),
      options,
    );
    return {
      title: `${options.connections} connections`,
      table: tableOf(rows, field.plain.name),
      aims: [...ownAims(rows, field), ...peerAims(rows, field)],
      remarks: leftOut.map((why) => `left out: ${why}`),
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

function ownAims(rows: Rows, { plain, strict, embedded }: Field): Aim[] {
  const base = rowOf(rows, plain.name);
  const aims = [strict, embedded].flatMap(({ name }) => {
    const row = rowOf(rows, name);
    return [
      {
        text: `${name}: CPU of no quota`,
        measured: cpuOf(row) / base.serverUs,
        most: name === embedded.name ? 1.05 : 1.35,
        unit: '×',
      },
      {
        text: `${name}: time a request (1 / req/s) of no quota`,
        measured: base.perSecond / row.perSecond,
        most: 1.25,
        unit: '×',
      },
    ];
  });
  const p99 = rowOf(rows, strict.name).p99Us / base.p99Us;
  return [...aims, { text: `${strict.name}: p99 of no quota`, measured: p99, most: 1.3, unit: '×' }];
}

function peerAims(rows: Rows, { strict }: Field): Aim[] {
  const ours = cpuOf(rowOf(rows, strict.name));
  return Object.entries(PEER_AIMS).flatMap(([name, most]) => {
    const row = rows.get(name);
    if (row === undefined) return [];
    return [{ text: `${strict.name}: CPU of ${name}`, measured: ours / cpuOf(row), most, unit: '×' }];
  });
}
