/** 64, 8 connections or one, in a closed loop: quotagate without a quota, with quotas, and its peers. */
import { type Contest, contest, cpuOf, type Rows, rowOf, tableOf } from '../gateway/contest.js';
import { pings } from '../lib/pings.js';
import type { Aim } from '../lib/table.js';
import { bareProxy } from '../peers/bare.js';
import { envoyPair } from '../peers/envoy.js';
import { fastifyPair } from '../peers/fastify.js';
import { bareNginx, luaNginx } from '../peers/nginx.js';
import { type Peer, startPeers } from '../peers/peer.js';
import type { Field, Measured } from './measure.js';

interface Crowd {
  readonly connections: number;
  readonly peers: readonly Peer[];
  aimsOf(rows: Rows, field: Field): readonly Aim[];
}

const NGINX = [bareNginx, luaNginx];

export const CROWD: Crowd = {
  connections: 64,
  peers: [...NGINX, bareProxy, fastifyPair, envoyPair],
  aimsOf: (rows, field) => [...ownAims(rows, field), ...peerAims(rows, field)],
};
export const FEW: Crowd = {
  connections: 8,
  peers: NGINX,
  aimsOf: (rows, { strict }) => cpuAims(rows, strict.name, [[luaNginx.name, 1.7]]),
};
export const ALONE: Crowd = {
  connections: 1,
  peers: NGINX,
  aimsOf: (rows, field) => [
    ...cpuAims(rows, field.strict.name, [[luaNginx.name, 2.1]]),
    ...addedAims(rows, field),
  ],
};

/** `withPeers`: false leaves them out. */
export async function crowd(
  field: Field,
  options: Omit<Contest, 'connections'> & { readonly withPeers: boolean },
  { connections, peers: known, aimsOf }: Crowd,
): Promise<Measured> {
  const { peers, leftOut } = await startPeers(options.withPeers ? known : [], field);
  try {
    const servers = [field.plain, field.strict, field.embedded, ...peers];
    const rows = await contest(
      servers.map((server) => ({ server })),
      { ...options, connections },
    );
    const pingUs = await pings(field.redis.url, options);
    return {
      title: `${connections} connection${connections === 1 ? '' : 's'}`,
      table: tableOf(rows, field.plain.name),
      aims: aimsOf(rows, field),
      remarks: [
        `a plain PING through the same client, on an idle connection: p50 ${pingUs.toFixed(0)} µs`,
        ...leftOut.map((why) => `left out: ${why}`),
      ],
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

function ownAims(rows: Rows, { plain, strict, embedded }: Field): Aim[] {
  const [base, own] = [plain, strict].map(({ name }) => rowOf(rows, name)) as [Row, Row];
  return [
    ...cpuAims(rows, strict.name, [[plain.name, 1.2]]),
    ...cpuAims(rows, embedded.name, [[plain.name, 1.05]]),
    {
      text: `${strict.name}: req/s of ${plain.name}`,
      measured: own.perSecond / base.perSecond,
      least: 0.88,
      unit: '×',
    },
    { text: `${strict.name}: p99 of ${plain.name}`, measured: own.p99Us / base.p99Us, most: 1.3, unit: '×' },
  ];
}

type Row = ReturnType<typeof rowOf>;

function peerAims(rows: Rows, { plain, strict }: Field): Aim[] {
  return [
    ...cpuAims(rows, plain.name, [[bareProxy.name, 1.15]]),
    ...cpuAims(rows, strict.name, [
      [luaNginx.name, 1.25],
      [fastifyPair.name, 0.5],
      [envoyPair.name, 0.33],
    ]),
  ];
}

/** Maximum CPU, that of Redis included, as a share of another's. Who did not take part has no aim. */
function cpuAims(rows: Rows, name: string, others: readonly (readonly [string, number])[]): Aim[] {
  const own = cpuOf(rowOf(rows, name));
  return others.flatMap(([other, most]) => {
    const row = rows.get(other);
    return row === undefined
      ? []
      : [{ text: `${name}: CPU of ${other}`, measured: own / cpuOf(row), most, unit: '×' }];
  });
}

/** What a decision adds to the median, compared with what it adds to nginx. */
function addedAims(rows: Rows, { plain, strict }: Field): Aim[] {
  const lua = rows.get(luaNginx.name);
  const nginx = rows.get(bareNginx.name);
  if (lua === undefined || nginx === undefined) return [];
  const added = rowOf(rows, strict.name).p50Us - rowOf(rows, plain.name).p50Us;
  return [
    {
      text: `${strict.name}: a decision adds ${added.toFixed(0)} µs to p50; of what it adds to nginx`,
      measured: added / (lua.p50Us - nginx.p50Us),
      most: 1.5,
      unit: '×',
    },
  ];
}
