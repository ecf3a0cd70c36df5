// Cycles tile time: every instant lies in exactly one, and boundaries are where a person's clock and calendar put them.
import fc from 'fast-check';
import t from 'tap';
import {
  boundsAt,
  type CycleRule,
  dayOf,
  type Every,
  hourBucket,
  nextBoundary,
  periodDays,
  ruleFaults,
} from '../../src/quota/cycle.js';

const ms = (text: string): number => Date.parse(text);
const rule = (every: Every, anchor: number, timeZone = 'Europe/Madrid'): CycleRule => {
  return { every, anchor, timeZone };
};

function bounds(one: CycleRule, at: string): [string, string] {
  const { start, end } = boundsAt(one, ms(at));
  return [new Date(start).toISOString(), new Date(end).toISOString()];
}

const ZONES = [
  'UTC',
  'Europe/Madrid',
  'America/St_Johns',
  'Asia/Kolkata',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
];

const dates = fc.integer({ min: 1, max: 12 }).chain((month) => {
  const days = new Date(Date.UTC(2024, month, 0)).getUTCDate();
  return fc.integer({ min: 1, max: days }).map((day) => month * 100 + day);
});

const rules = fc
  .oneof(
    fc.record({ every: fc.constant<Every>('hour'), anchor: fc.integer({ min: 0, max: 59 }) }),
    fc.record({ every: fc.constant<Every>('day'), anchor: fc.integer({ min: 0, max: 23 }) }),
    fc.record({ every: fc.constant<Every>('week'), anchor: fc.integer({ min: 1, max: 7 }) }),
    fc.record({ every: fc.constant<Every>('month'), anchor: fc.integer({ min: 1, max: 31 }) }),
    fc.record({ every: fc.constant<Every>('year'), anchor: dates }),
  )
  .chain((one) => fc.constantFrom(...ZONES).map((timeZone): CycleRule => ({ ...one, timeZone })));

const CHANGES = [
  '2011-12-30T10:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-10-25T01:00:00Z',
  '2026-04-04T15:00:00Z',
];

const instants = fc.oneof(
  fc.integer({ min: ms('1990-01-01'), max: ms('2060-01-01') }),
  fc
    .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -172_800_000, max: 172_800_000 }))
    .map(([change, offsetMs]) => ms(change) + offsetMs),
);

t.test('cycles tile time without gap or overlap', async () => {
  fc.assert(
    fc.property(rules, instants, (one, now) => {
      if (ruleFaults(one).length > 0) return false;
      const { start, end } = boundsAt(one, now);
      // Asked from a rule's neighbours, not from the memo: both ends must say the same.
      const before = boundsAt(one, start - 1);
      const after = boundsAt(one, end);
      const within = start <= now && now < end && nextBoundary(one, now) === end;
      const again = boundsAt(one, start);
      const last = boundsAt(one, end - 1);
      const same = again.start === start && again.end === end && last.start === start && last.end === end;
      return within && same && before.end === start && after.start === end;
    }),
    { numRuns: 1_500 },
  );
});

t.test('lengths stay near the period', async () => {
  const HOUR_MS = 3_600_000;
  const most: Record<Every, number> = {
    hour: 1.5,
    day: 25,
    week: 169,
    month: 24 * 31 + 1,
    year: 24 * 366 + 1,
  };
  fc.assert(
    fc.property(rules, instants, (one, now) => {
      const { start, end } = boundsAt(one, now);
      return end - start <= most[one.every] * HOUR_MS;
    }),
    { numRuns: 1_500 },
  );
});

t.test('a month by day 20, and the days a person reads', async (t) => {
  const month = rule('month', 20);
  t.same(bounds(month, '2026-05-22T10:00:00Z'), ['2026-05-19T22:00:00.000Z', '2026-06-19T22:00:00.000Z']);
  t.same(periodDays(boundsAt(month, ms('2026-05-22T10:00:00Z')), month.timeZone), {
    from: '2026-05-20',
    to: '2026-06-19',
  });
});

t.test('day 31 is the last of short months, and 31 again after them', async (t) => {
  const month = rule('month', 31, 'UTC');
  const starts: string[] = [];
  let now = ms('2026-01-31T00:00:00Z');
  for (let count = 0; count < 7; count += 1) {
    starts.push(new Date(now).toISOString().slice(5, 10));
    now = nextBoundary(month, now);
  }
  t.same(starts, ['01-31', '02-28', '03-31', '04-30', '05-31', '06-30', '07-31']);
});

t.test('February 29 is the 28th in common years', async (t) => {
  const year = rule('year', 229, 'UTC');
  t.same(bounds(year, '2027-06-01T00:00:00Z'), ['2027-02-28T00:00:00.000Z', '2028-02-29T00:00:00.000Z']);
  t.same(bounds(year, '2028-06-01T00:00:00Z'), ['2028-02-29T00:00:00.000Z', '2029-02-28T00:00:00.000Z']);
});

t.test('weeks begin at midnight of their weekday', async (t) => {
  const week = rule('week', 3);
  t.same(bounds(week, '2026-06-03T12:00:00Z'), ['2026-06-02T22:00:00.000Z', '2026-06-09T22:00:00.000Z']);
  t.same(bounds(week, '2026-06-02T12:00:00Z'), ['2026-05-26T22:00:00.000Z', '2026-06-02T22:00:00.000Z']);
});

t.test('a boundary that the clock jumps over is the first instant after the jump', async (t) => {
  const inGap = rule('day', 2);
  t.same(bounds(inGap, '2026-03-29T12:00:00Z'), ['2026-03-29T01:00:00.000Z', '2026-03-30T00:00:00.000Z']);
  // A zone that left out a whole day: its boundary and the next day's are one.
  const apia = rule('day', 0, 'Pacific/Apia');
  t.same(bounds(apia, '2011-12-30T09:59:59Z'), ['2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z']);
  t.same(bounds(apia, '2011-12-30T10:00:00Z'), ['2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z']);
  t.same(bounds(rule('day', 5, 'Pacific/Apia'), '2011-12-30T12:00:00Z'), [
    '2011-12-30T10:00:00.000Z',
    '2011-12-30T15:00:00.000Z',
  ]);
});

t.test('a boundary that the clock shows twice is the first; hours count each showing', async (t) => {
  t.same(bounds(rule('day', 2), '2026-10-25T12:00:00Z'), [
    '2026-10-25T00:00:00.000Z',
    '2026-10-26T01:00:00.000Z',
  ]);
  const hour = rule('hour', 30);
  t.same(bounds(hour, '2026-10-25T00:45:00Z'), ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']);
  t.same(bounds(hour, '2026-10-25T01:45:00Z'), ['2026-10-25T01:30:00.000Z', '2026-10-25T02:30:00.000Z']);
  t.same(bounds(rule('hour', 15, 'Asia/Kolkata'), '2026-10-25T01:00:00Z'), [
    '2026-10-25T00:45:00.000Z',
    '2026-10-25T01:45:00.000Z',
  ]);
});

t.test('hours and days are local, and the repeated hour has a name of its own', async (t) => {
  const zone = 'Europe/Madrid';
  t.equal(hourBucket(ms('2026-06-30T22:15:00Z'), zone), '2026-07-01T00');
  t.equal(dayOf(ms('2026-06-30T22:15:00Z'), zone), '2026-07-01');
  const night = ['00:00', '00:59', '01:00', '01:59', '02:00'];
  const names = night.map((time) => hourBucket(ms(`2026-10-25T${time}:00Z`), zone));
  const [first, second] = ['2026-10-25T02', '2026-10-25T02+01:00'];
  t.same(names, [first, first, second, second, '2026-10-25T03']);
  t.same(names, [...names].sort(), 'they sort as text');
  t.equal(hourBucket(ms('2026-04-04T15:10:00Z'), 'Australia/Lord_Howe'), '2026-04-05T01+10:30');
});

t.test('unusable rules are explained', async (t) => {
  const bad: [CycleRule, RegExp][] = [
    [rule('hour', 60), /minute/],
    [rule('day', 24), /hour/],
    [rule('week', 0), /weekday/],
    [rule('month', 32), /day of the month/],
    [rule('month', 1.5), /day of the month/],
    [rule('year', 230), /date/],
    [rule('year', 1_300), /date/],
    [rule('year', 431), /date/],
    [rule('day', 1, 'Mars/Olympus'), /Mars\/Olympus/],
    [rule('day', 1, '+02:00'), /IANA/],
    [rule('day', 1, 'PST'), /IANA/],
    [{ every: 'decade' as Every, anchor: 1, timeZone: 'UTC' }, /hour, day, week/],
  ];
  for (const [one, what] of bad) t.match(ruleFaults(one), [{ problem: what }], JSON.stringify(one));
  for (const one of [rule('year', 229), rule('year', 1231), rule('hour', 0), rule('month', 31, 'UTC')])
    t.same(ruleFaults(one), [], JSON.stringify(one));
  const two = ruleFaults(rule('month', 32, 'Mars/Olympus'));
  t.same(
    two.map(({ field }) => field),
    ['anchor', 'timeZone'],
    'one fault does not hide another',
  );
});
