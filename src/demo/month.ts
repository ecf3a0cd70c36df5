/**
 * A month of history for the demo: written by the embedded ledger itself, with its clock set to each hour of the month in turn. Changes
 * go through the admin API, so that the audit log has them.
 */
import { buildAdmin, createOrg } from '../admin/index.js';
import { addToken } from '../admin/tokens/token-store.js';
import { KeyedMutex } from '../admin/writes/keyed-mutex.js';
import type { Config } from '../config/schema.js';
import { cyclesNow } from '../ledger/call-cycles.js';
import { openEmbedded } from '../ledger/embedded/index.js';
import type { Bounds, Ledger, Reply, ReserveOp } from '../ledger/port.js';
import { KEEP_MS } from '../notify/deliveries.js';
import { takeNotices } from '../notify/intake.js';
import { Traffic } from './traffic.js';

const ORG = 'acme';
const DAYS = 35;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface MonthOptions {
  /** Folder of the embedded ledger, which is empty. */
  readonly path: string;
  readonly config: Pick<Config, 'orgs' | 'quotas'>;
  /** The end of the month, in ms. */
  readonly until: number;
}

export async function writeMonth({ path, config, until }: MonthOptions): Promise<void> {
  const clock = { now: until - DAYS * DAY_MS };
  const ledger = await openEmbedded({ path, clock: () => clock.now });
  const admin = buildAdmin({ ledger, quotas: config.quotas });
  try {
    for (const [id, seed] of Object.entries(config.orgs))
      await createOrg(ledger, { id, seed, quotas: config.quotas });
    const month = new Month(ledger, await asAdmin(admin, ledger), config.quotas);
    for (let day = 0; day < DAYS; day += 1) {
      await month.changesOf(day, until);
      await month.callsOf(clock, Math.min(clock.now + DAY_MS, until));
      await month.takeNotices();
    }
    await month.blockSome();
    await month.takeNotices();
  } finally {
    await admin.close();
    await ledger.close();
  }
}

type Send = (method: 'POST' | 'PUT', path: string, body: object) => Promise<void>;

async function asAdmin(admin: ReturnType<typeof buildAdmin>, ledger: Ledger): Promise<Send> {
  const token = { name: 'Sofia', role: 'admin', orgs: [ORG], expiresAt: 0 } as const;
  const author = { who: 'quotagate', reason: 'demo' };
  const { text } = await addToken({ ledger, mutex: new KeyedMutex() }, { author, token });
  return async (method, path, payload) => {
    const headers = { authorization: `Bearer ${text}` };
    const answer = await admin.inject({ method, url: `/v1/orgs/${ORG}${path}`, headers, payload });
    if (answer.statusCode >= 400) throw new Error(`The demo’s ${method} ${path} failed: ${answer.body}`);
  };
}

interface Change {
  readonly day: number;
  readonly path: string;
  readonly body: object;
}

const PEOPLE = [
  ['dana', 'Dana Ruiz', 'gis'],
  ['finn', 'Finn Keller', 'gis'],
  ['gita', 'Gita Rao', 'gis'],
  ['hugo', 'Hugo Lindqvist', 'engineering'],
  ['ines', 'Inês Duarte', 'engineering'],
  ['jon', 'Jon Bell', 'marketing'],
  ['kira', 'Kira Novak', 'marketing'],
  ['liam', 'Liam Okafor', 'marketing'],
  ['mona', 'Mona Haddad', 'gis'],
] as const;

/** What Sofia did, and on which day. */
const CHANGES: readonly Change[] = [
  { day: 0, path: '/groups', body: { id: 'gis', name: 'GIS', reason: 'teams of this year' } },
  { day: 0, path: '/groups', body: { id: 'marketing', name: 'Marketing', reason: 'teams of this year' } },
  ...PEOPLE.map(([id, name, group]): Change => {
    return { day: 0, path: '/users', body: { id, name, email: `${id}@acme.example`, groups: [group] } };
  }),
  { day: 1, path: '/limits', body: { user: 'finn', quota: 'usage', units: 420, reason: 'trial project' } },
  { day: 1, path: '/limits', body: { user: 'hugo', quota: 'ai', units: 190_000 } },
  { day: 1, path: '/limits', body: { group: 'marketing', quota: 'ai', percent: 25, reason: 'budget' } },
  { day: 2, path: '/limits', body: { user: 'kira', quota: 'lds', units: 150 } },
  { day: 12, path: '/plans/ai/extra', body: { units: 200_000, reason: 'order 2317' } },
  {
    day: 16,
    path: '/adjustments',
    body: { user: 'dana', quota: 'usage', units: -20, reason: 'failed export' },
  },
  { day: 24, path: '/limits', body: { group: 'gis', quota: 'usage', percent: 60, reason: 'budget' } },
];
const RAISES: readonly Change[] = [
  { day: 20, path: '/limits/ai:u:hugo/raise', body: { units: 80_000, reason: 'release week' } },
  { day: 34, path: '/limits/lds:u:kira/raise', body: { units: 100, reason: 'address clean-up' } },
];
const RAISE_DAYS = 6;

class Month {
  private readonly traffic = new Traffic(PEOPLE.map(([id]) => id));
  private readonly quotas: ReadonlyMap<string, Config['quotas'][string]>;
  private readonly calls: Calls;

  constructor(
    private readonly ledger: Ledger,
    private readonly send: Send,
    quotas: Config['quotas'],
  ) {
    this.quotas = new Map(Object.entries(quotas));
    this.calls = new Calls(ledger);
  }

  async changesOf(day: number, until: number): Promise<void> {
    if (day === 0) {
      const cycle = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
      await this.send('PUT', '', { name: 'Acme Cartography', seats: 15, cycle, reason: 'bigger team' });
    }
    for (const { path, body } of CHANGES.filter((one) => one.day === day))
      await this.send('POST', path, body);
    for (const { path, body } of RAISES.filter((one) => one.day === day)) {
      const ends = until - (DAYS - day - RAISE_DAYS) * DAY_MS;
      await this.send('POST', path, { ...body, until: new Date(ends).toISOString() });
    }
  }

  async callsOf(clock: { now: number }, until: number): Promise<void> {
    for (; clock.now < until; clock.now = Math.min(clock.now + HOUR_MS, until)) {
      const ops = this.traffic.inHour(clock.now);
      if (ops.length > 0) await this.calls.run(ops);
    }
  }

  /** The month ends with users who cannot go on: whoever opens the page sees how that looks. */
  async blockSome(): Promise<void> {
    await this.calls.run([this.traffic.query('finn'), this.traffic.query('mona')]);
    await this.send('POST', '/limits', {
      user: 'mona',
      quota: 'usage',
      units: 1,
      reason: 'leaves this week',
    });
    await this.calls.run([
      this.traffic.chat('eva', 300),
      this.traffic.query('mona'),
      this.traffic.query('mona'),
    ]);
  }

  async takeNotices(): Promise<void> {
    const { ledger, quotas } = this;
    const options = {
      ledger,
      quotas,
      keepMs: KEEP_MS,
      targetsOf: async () => [],
      onUnheard: () => undefined,
    };
    await takeNotices(options, ORG, new Map());
  }
}

/** Calls of the data plane, as a gateway makes them. */
class Calls {
  private epoch = '';
  private ruleVersion = 0;
  private cycles: readonly Bounds[] = [];

  constructor(private readonly ledger: Ledger) {}

  async run(ops: readonly ReserveOp[]): Promise<Reply> {
    const { epoch, ruleVersion, cycles } = this;
    const producer = { producer: '', seq: 0, unknownUsers: 'register', expireMost: 0 } as const;
    const reply = await this.ledger.apply({ org: ORG, epoch, ruleVersion, cycles, ops, ...producer });
    if (reply.code !== 'cycle') return reply;
    this.epoch = reply.epoch;
    this.ruleVersion = reply.ruleVersion;
    this.cycles = cyclesNow(reply);
    return this.run(ops);
  }
}
