// The forecast of the overview, wall times of a zone, also where its clocks change, and the differences of the audit log.

import t from 'tap';
import { forecastOf } from '../../src/console/format/forecast.js';
import { daysBetween, instantOfWall, wallOfInstant } from '../../src/console/format/zones.js';
import { differencesOf } from '../../src/console/pages/audit/difference.js';

const DAY = 86_400_000;
const MONTH = { start: 0, now: 10 * DAY, end: 30 * DAY };

t.test('a pool runs out before the end of the period, or lasts', (t) => {
  t.same(forecastOf({ ...MONTH, consumed: 500, remaining: 250 }), { kind: 'runs-out', at: 15 * DAY });
  t.same(forecastOf({ ...MONTH, consumed: 100, remaining: 900 }), { kind: 'lasts', left: 700 });
  t.same(forecastOf({ ...MONTH, consumed: 500, remaining: 0 }), { kind: 'exhausted' });
  t.same(forecastOf({ ...MONTH, consumed: 0, remaining: 5 }), { kind: 'unused' });
  t.same(forecastOf({ ...MONTH, now: DAY / 2, consumed: 1, remaining: 5 }), { kind: 'early' });
  t.end();
});

t.test('wall times of a zone', (t) => {
  t.equal(instantOfWall('2026-12-04T18:00', 'Europe/Madrid'), '2026-12-04T17:00:00.000Z');
  t.equal(instantOfWall('2026-07-04T18:00', 'Europe/Madrid'), '2026-07-04T16:00:00.000Z');
  t.equal(instantOfWall('2026-03-29T03:30', 'Europe/Madrid'), '2026-03-29T01:30:00.000Z', 'after the change');
  t.equal(instantOfWall('2026-10-25T12:00', 'America/New_York'), '2026-10-25T16:00:00.000Z');
  t.equal(instantOfWall('', 'UTC'), undefined);
  t.equal(wallOfInstant('2026-12-04T17:00:30.900Z', 'Europe/Madrid'), '2026-12-04T18:00');
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/New_York', 'Pacific/Apia'])
    t.equal(wallOfInstant(instantOfWall('2026-05-06T07:08', zone) ?? '', zone), '2026-05-06T07:08', zone);
  t.end();
});

t.test('the days of a range', (t) => {
  t.same(daysBetween('2026-02-27', '2026-03-02'), ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']);
  t.same(daysBetween('2026-02-27', '2026-02-27'), ['2026-02-27']);
  t.end();
});

t.test('what a change has changed', (t) => {
  const before = { units: 10, shadow: false, raise: { units: 5 } };
  t.same(differencesOf(before, { units: 25, shadow: false, raise: { units: 5 } }), [
    { field: 'units', from: 10, to: 25 },
  ]);
  t.same(
    differencesOf(before, { units: 10, shadow: false, raise: null }),
    [{ field: 'raise.units', from: 5, to: undefined }],
    'fields within fields',
  );
  t.same(
    differencesOf(null, { groups: ['eng'] }),
    [{ field: 'groups', from: undefined, to: ['eng'] }],
    'new',
  );
  t.same(differencesOf(3, null), [{ field: '', from: 3, to: undefined }], 'a value without fields');
  t.same(differencesOf(null, { shadow: false, role: '' }), [], 'nothing new');
  t.same(differencesOf(before, before), []);
  t.end();
});
