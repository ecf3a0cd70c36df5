/**
 * Several gateway processes on one store get 5,000 requests from 500 connections, more than the budget allows. Responses with
 * 200, requests at the upstream and units in the ledger must be the same number.
 */
import { Agent } from 'node:http';
import { admin, as, ask } from '../support/gateway.js';
import type { Fleet } from './fleet.js';

export interface Scenario {
  readonly name: string;
  readonly path: string;
  /** Units of one request. */
  readonly cost: number;
  readonly users: number;
  readonly allowance: number;
  readonly mode?: 'soft';
  /** Groups of every user, with their limits. */
  readonly groups?: Readonly<Record<string, number>>;
  /** Limit of the one user. */
  readonly limit?: number;
  readonly expected: number;
}

const AMPLE = 100_000_000;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'a user', path: '/v3/unit', cost: 1, users: 1, allowance: AMPLE, limit: 1_000, expected: 1_000 },
  {
    name: 'a group over 50 users',
    path: '/v3/unit',
    cost: 1,
    users: 50,
    allowance: AMPLE,
    groups: { g1: 1_000 },
    expected: 1_000,
  },
  { name: 'the pool', path: '/v3/unit', cost: 1, users: 50, allowance: 1_000, expected: 1_000 },
  {
    name: 'costs of 0.1',
    path: '/v3/maps/1',
    cost: 0.1,
    users: 1,
    allowance: AMPLE,
    limit: 100,
    expected: 1_000,
  },
  {
    name: 'costs of 10',
    path: '/v3/sql',
    cost: 10,
    users: 1,
    allowance: AMPLE,
    limit: 10_000,
    expected: 1_000,
  },
  {
    name: 'a user in three limited groups',
    path: '/v3/unit',
    cost: 1,
    users: 1,
    allowance: AMPLE,
    groups: { g1: 1_500, g2: 1_000, g3: 1_200 },
    expected: 1_000,
  },
  {
    name: 'a soft pool',
    path: '/v3/unit',
    cost: 1,
    users: 50,
    allowance: 1_000,
    mode: 'soft',
    expected: 5_000,
  },
];

const REQUESTS = 5_000;
const CONNECTIONS = 500;

export interface Outcome {
  readonly allowed: number;
  readonly refused: number;
  readonly other: number;
  readonly served: number;
  readonly consumed: number;
  readonly held: number;
}

let runs = 0;

/** One run with a fresh org. */
export async function runScenario(fleet: Fleet, scenario: Scenario): Promise<Outcome> {
  runs += 1;
  const org = `exact-${process.pid}-${runs}`;
  await createOrg(fleet, org, scenario);
  fleet.served();
  const counts = await fire(fleet, org, scenario);
  const usage = await call(fleet, 'GET', `/orgs/${org}/usage`);
  const { consumed, held } = (usage as { org: [{ consumed: number; held: number }] }).org[0];
  return { ...counts, served: fleet.served(), consumed, held };
}

export function isExact(
  { allowed, refused, other, served, consumed, held }: Outcome,
  scenario: Scenario,
): boolean {
  const units = Math.round(scenario.expected * scenario.cost * 10) / 10;
  const answers = allowed === scenario.expected && refused === REQUESTS - scenario.expected && other === 0;
  return answers && served === scenario.expected && consumed === units && held === 0;
}

async function createOrg(
  fleet: Fleet,
  org: string,
  { users, allowance, mode, groups = {}, limit }: Scenario,
): Promise<void> {
  const cycle = { every: 'year', anchor: 101, timeZone: 'UTC' };
  await call(fleet, 'PUT', `/orgs/${org}`, { name: org, cycle });
  await call(fleet, 'PUT', `/orgs/${org}/plans/usage`, { allowance, mode: mode ?? 'hard' });
  for (const [group, units] of Object.entries(groups)) {
    await call(fleet, 'POST', `/orgs/${org}/groups`, { id: group });
    await call(fleet, 'POST', `/orgs/${org}/limits`, { group, quota: 'usage', units });
  }
  for (let index = 0; index < users; index += 1)
    await call(fleet, 'POST', `/orgs/${org}/users`, { id: `u${index}`, groups: Object.keys(groups) });
  if (limit !== undefined)
    await call(fleet, 'POST', `/orgs/${org}/limits`, { user: 'u0', quota: 'usage', units: limit });
}

async function call(fleet: Fleet, method: string, path: string, body?: unknown): Promise<unknown> {
  const gateway = fleet.gateways[0];
  if (gateway === undefined) throw new Error('the fleet is empty');
  const reply = await admin(gateway.admin, method, path, body);
  if (reply.status >= 300)
    throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

async function fire(fleet: Fleet, org: string, { path, users }: Scenario) {
  const counts = { allowed: 0, refused: 0, other: 0 };
  let sent = 0;
  const connection = async (number: number): Promise<void> => {
    const gateway = fleet.gateways[number % fleet.gateways.length]?.gateway ?? '';
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (sent < REQUESTS) {
      sent += 1;
      const headers = as(`u${sent % users}`, org);
      const { status } = await ask(gateway, path, { headers, agent }).catch(() => ({ status: 0 }));
      if (status === 200) counts.allowed += 1;
      else if (status === 429) counts.refused += 1;
      else counts.other += 1;
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => connection(number)));
  return counts;
}
