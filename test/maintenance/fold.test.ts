// Folding writes few texts, in parts of bounded size, and adds each entry once, whoever ends a fold that another process began.
import t from 'tap';
import { GROUPS_TABLE } from '../../src/history/group-numbers.js';
import { unpack } from '../../src/history/packed.js';
import type { Fold, Ledger, Table } from '../../src/ledger/port.js';
import { foldJournal, PART_TEXTS_MAX } from '../../src/maintenance/fold.js';
import { fixed, reserve, type TestOrg } from '../support/ledgers.js';
import { onBothMaintained } from './support.js';

const USERS = 150;
const CALLS = 60;
const users = Object.fromEntries(Array.from({ length: USERS }, (_, user) => [`u${user}`, 'a:g1']));
const ORG = { plans: { usage: 1_000_000 }, users, groups: ['g1'] };
const UTC = { set: 'org', field: 'rule', value: '{"every":"hour","timeZone":"UTC"}' } as const;
/** By the hour and by the day, their group, and the org. */
const FIELDS = 2 * USERS + 2;
const DAY = '1970-01-01';

/** Every user is charged 1 unit in each call. */
async function charge(org: TestOrg, calls = CALLS): Promise<void> {
  await org.commit(UTC);
  const ops = Object.keys(users).map((user) => reserve(user, fixed('usage', 1)));
  for (let call = 0; call < calls; call += 1) await org.call(ops);
}

/** The texts of a part: it may number groups too. */
function textsOf({ puts }: Fold): Fold['puts'] {
  return puts.filter(({ table }) => table !== GROUPS_TABLE);
}

interface Watched {
  readonly store: Pick<Ledger, 'pendingWork' | 'log' | 'fold' | 'read'>;
  readonly folds: Fold[];
  readonly pages: number[];
}

/** `endsAfter`: the process ends when it has made so many parts. */
function watched(ledger: Ledger, endsAfter = Number.POSITIVE_INFINITY): Watched {
  const folds: Fold[] = [];
  const pages: number[] = [];
  const store: Watched['store'] = {
    pendingWork: (org) => ledger.pendingWork(org),
    read: (org, wants) => ledger.read(org, wants),
    async log(org, log, after, count) {
      pages.push(count);
      return ledger.log(org, log, after, count);
    },
    async fold(org, fold) {
      if (folds.length === endsAfter) throw new Error('killed');
      folds.push(fold);
      return ledger.fold(org, fold);
    },
  };
  return { store, folds, pages };
}

/** Units by `<field>/<slot>`, of `usage` for `maps`. */
async function unitsIn(org: TestOrg, table: Table): Promise<Record<string, number>> {
  const units: Record<string, number> = {};
  for (const [field, text] of Object.entries(await org.fields(table)))
    for (const [name, cells] of unpack(text).sections) {
      if (!/^usage\|maps\|\|(\|#A)?$/.test(name)) throw new Error(`a section ${name}`);
      for (const [slot, cell] of cells) units[`${field}/${slot}`] = cell.units;
    }
  return units;
}

const HOURS = `history:userhours:${DAY}` as const;
const DAYS = 'history:userdays:1970-01';
const SHARED = `history:shared:${DAY}` as const;

async function folded(org: TestOrg, calls = CALLS) {
  const byHour = Object.values(await unitsIn(org, HOURS));
  const byDay = Object.values(await unitsIn(org, DAYS));
  return {
    users: byHour.length === USERS && byHour.every((units) => units === calls),
    days: byDay.length === USERS && byDay.every((units) => units === calls),
    shared: Object.values(await unitsIn(org, SHARED)),
    tail: (await org.texts('journal')).length,
    folding: await org.orgField('folding'),
  };
}

const ALL = { users: true, days: true, shared: [USERS * CALLS, USERS * CALLS], tail: 0, folding: null };

onBothMaintained('many entries become few texts, in parts', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await charge(org);
  const { store, folds, pages } = watched(maintained.ledger);
  t.equal(await foldJournal(store, 'acme'), CALLS);
  t.equal(
    folds.reduce((sum, fold) => sum + textsOf(fold).length, 0),
    FIELDS,
    'each field is written once for all entries',
  );
  t.equal(folds.length, Math.ceil(FIELDS / PART_TEXTS_MAX));
  t.ok(folds.every((fold) => textsOf(fold).length <= PART_TEXTS_MAX));
  t.ok(PART_TEXTS_MAX <= 100 && pages.every((count) => count <= 50), 'no call of the store is long');
  t.same(await folded(org), ALL);
});

onBothMaintained('a fold of a killed process is ended by another', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await charge(org);
  await t.rejects(foldJournal(watched(maintained.ledger, 1).store, 'acme'), /killed/);
  t.match(await org.orgField('folding'), new RegExp(`\\|${PART_TEXTS_MAX}\\|UTC\\|packed$`));
  // Neither later entries nor another time zone change the sums of the fold that began.
  await org.commit({ ...UTC, value: '{"every":"hour","timeZone":"Asia/Tokyo"}' });
  await org.call([reserve('u0', fixed('usage', 1_000))]);
  const { store, folds } = watched(maintained.ledger);
  await foldJournal(store, 'acme');
  const first = folds.filter(({ to }) => to === folds[0]?.to);
  t.equal(
    first.reduce((sum, fold) => sum + textsOf(fold).length, 0),
    FIELDS - PART_TEXTS_MAX,
    'the rest of the first fold',
  );
  const { u0, tail, folding } = { ...(await folded(org)), u0: await unitsIn(org, DAYS) };
  t.equal(u0['u0/0'], CALLS + 1_000);
  t.same({ tail, folding }, { tail: 0, folding: null });
  t.same(await unitsIn(org, SHARED), {
    'g:g1/0': USERS * CALLS,
    'g:g1/18': 1000,
    'o/0': USERS * CALLS,
    'o/18': 1000,
  });
});

onBothMaintained('processes that fold at once count nothing twice', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await charge(org);
  const moved = await Promise.all([1, 2, 3].map(() => foldJournal(maintained.ledger, 'acme')));
  for (const count of moved) t.ok(count === 0 || count === CALLS);
  await foldJournal(maintained.ledger, 'acme');
  t.same(await folded(org), ALL);
});

onBothMaintained('a fold that another process ends meanwhile is left to it', t, async (t, maintained) => {
  const { ledger } = maintained;
  const org = await maintained.seed('acme', ORG);
  await charge(org);
  await t.rejects(foldJournal(watched(ledger, 1).store, 'acme'), /killed/);
  let overtaken = false;
  const late: Watched['store'] = {
    ...watched(ledger).store,
    async log(...args) {
      if (!overtaken) await foldJournal(ledger, 'acme');
      overtaken = true;
      return ledger.log(...args);
    },
  };
  t.equal(await foldJournal(late, 'acme'), 0);
  t.same(await folded(org), ALL);
});

onBothMaintained('a fold whose last entry is lost says so', t, async (t, maintained) => {
  const { ledger } = maintained;
  const org = await maintained.seed('acme', ORG);
  await charge(org);
  await t.rejects(foldJournal(watched(ledger, 1).store, 'acme'), /killed/);
  const lossy: Watched['store'] = { ...watched(ledger).store, log: async () => [] };
  await t.rejects(foldJournal(lossy, 'acme'), /lacks entry .+, up to which it is being folded/);
});

onBothMaintained(
  'more entries than one fold takes are folded one after the other',
  t,
  async (t, maintained) => {
    const org = await maintained.seed('acme', { ...ORG, users: { u0: 'a:g1' } });
    await org.commit(UTC);
    for (let call = 0; call < 1_120; call += 1) await org.call([reserve('u0', fixed('usage', 1))]);
    const { store, folds } = watched(maintained.ledger);
    t.equal(await foldJournal(store, 'acme'), 1_120);
    t.equal(folds.length, 3);
    t.same(await unitsIn(org, DAYS), { 'u0/0': 1120 });
  },
);
