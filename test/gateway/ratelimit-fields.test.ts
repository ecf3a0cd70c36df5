// RateLimit headers show the binding hard limit of each charged quota, and the violated limits: integers, never too
// large.
import t from 'tap';
import { rateLimitFields, sfString } from '../../src/gateway/ratelimit-fields.js';
import type { Admitted, BindingLimit, Refused, Violation } from '../../src/ledger/port.js';

const QUOTAS = {
  usage: { decimals: 1, unit: 'units' },
  ai: { decimals: 0, unit: 'tokens' },
  odd: { decimals: 6, unit: 'a "b" \\c' },
  euro: { decimals: 2, unit: '€' },
};

const DAY_MS = 86_400_000;
const CYCLE = { start: 0, end: 30 * DAY_MS };

const bindingLimits = (
  quota: string,
  scope: BindingLimit['scope'],
  limit: number,
  remaining: number,
): BindingLimit => {
  return { quota, scope, limit, remaining };
};
const violation = (
  quota: string,
  scope: Violation['scope'],
  limit: number,
  consumed: number,
  held = 0,
  group = '',
): Violation => {
  return { quota, scope, group, limit, consumed, held, requested: 1 };
};
const admitted = (...list: BindingLimit[]): Admitted => {
  return { status: 'admitted', groups: '', duplicate: false, violated: [], bindingLimits: list };
};
const refused = (
  list: BindingLimit[],
  violated: Violation[],
  reason: Refused['reason'] = 'spent',
): Refused => {
  return { status: 'refused', reason, primary: 0, groups: '', violated, bindingLimits: list };
};

const fields = rateLimitFields(QUOTAS);
const write = (result: Admitted | Refused, now = DAY_MS, cycle = CYCLE) => fields(result, cycle, now);
const pair = (policy: string, limit: string) => ['RateLimit-Policy', policy, 'RateLimit', limit];

t.test('one limit, several limits, none', async (t) => {
  t.same(
    write(admitted(bindingLimits('ai', 'user', 1_000, 999))),
    pair('"ai-user";q=1000;qu="tokens";w=2592000', '"ai-user";r=999;t=2505600'),
  );
  t.same(
    write(admitted(bindingLimits('usage', 'group', 100, 55), bindingLimits('ai', 'org', 5_000, 0))),
    pair(
      '"usage-group";q=10;qu="units";w=2592000, "ai-org";q=5000;qu="tokens";w=2592000',
      '"usage-group";r=5;t=2505600, "ai-org";r=0;t=2505600',
    ),
  );
  t.same(write(admitted(bindingLimits('ai', undefined, 0, 0))), [], 'no hard limit');
  t.same(write(admitted()), []);
  t.same(write(admitted(bindingLimits('gone', 'user', 1, 1))), [], 'a quota that is not in the config');
});

t.test('a refusal names what is violated too, each name once and by the findBindingLimits', async (t) => {
  const violated = [
    violation('ai', 'user', 1_000, 1_000),
    violation('ai', 'group', 500, 480, 0, 'ml'),
    violation('ai', 'group', 300, 310, 0, 'dev'),
    violation('ai', 'group', 900, 880, 10, 'ops'),
    violation('usage', 'org', 100, 80, 10),
  ];
  t.same(
    write(refused([bindingLimits('ai', 'user', 1_000, 0), bindingLimits('usage', 'user', 50, 20)], violated)),
    pair(
      '"ai-user";q=1000;qu="tokens";w=2592000, "usage-user";q=5;qu="units";w=2592000, ' +
        '"ai-group";q=300;qu="tokens";w=2592000, "usage-org";q=10;qu="units";w=2592000',
      '"ai-user";r=0;t=2505600, "usage-user";r=2;t=2505600, "ai-group";r=0;t=2505600, "usage-org";r=1;t=2505600',
    ),
  );
});

t.test('what an admission violated is soft or in shadow, and never shown', async (t) => {
  const result = {
    ...admitted(bindingLimits('ai', 'org', 10, 5)),
    violated: [violation('ai', 'user', 1, 1)],
  };
  t.same(write(result), pair('"ai-org";q=10;qu="tokens";w=2592000', '"ai-org";r=5;t=2505600'));
});

t.test('held budget names no reset: Retry-After is sooner, and the draft forbids that', async (t) => {
  const [, , , limit] = write(refused([], [violation('ai', 'user', 10, 5, 5)], 'held'));
  t.equal(limit, '"ai-user";r=0');
});

t.test('amounts are whole outer units, rounded down, within what a field can hold', async (t) => {
  const of = (quota: string, limit: number, remaining: number) =>
    write(admitted(bindingLimits(quota, 'user', limit, remaining)));
  t.same(of('usage', 15, 7), pair('"usage-user";q=1;qu="units";w=2592000', '"usage-user";r=0;t=2505600'));
  t.same(of('odd', 1_999_999, 1_000_000)[3], '"odd-user";r=1;t=2505600');
  t.same(
    of('ai', 9_000_000_000_000_000, 9_000_000_000_000_000),
    pair('"ai-user";q=999999999999999;qu="tokens";w=2592000', '"ai-user";r=999999999999999;t=2505600'),
  );
  t.equal(of('ai', 10, -5)[3], '"ai-user";r=0;t=2505600');
});

t.test('seconds to the reset are rounded up, and never negative', async (t) => {
  const at = (now: number) => write(admitted(bindingLimits('ai', 'user', 10, 5)), now)[3];
  t.equal(at(CYCLE.end - 1), '"ai-user";r=5;t=1');
  t.equal(at(CYCLE.end - 1_000), '"ai-user";r=5;t=1');
  t.equal(at(CYCLE.end - 1_001), '"ai-user";r=5;t=2');
  t.equal(at(CYCLE.end), '"ai-user";r=5;t=0');
  t.equal(at(CYCLE.end + 5_000), '"ai-user";r=5;t=0');
});

t.test('a remembered policy does not outlive its window or its limit', async (t) => {
  const policy = (limit: number, days: number) =>
    write(admitted(bindingLimits('ai', 'user', limit, 1)), 0, { start: 0, end: days * DAY_MS })[1];
  for (const [limit, days] of [
    [7, 30],
    [7, 30],
    [7, 31],
    [8, 31],
    [7, 30],
  ] as const) {
    t.equal(policy(limit, days), `"ai-user";q=${limit};qu="tokens";w=${days * 86_400}`);
  }
});

t.test('unit labels become strings of RFC 9651', async (t) => {
  t.equal(
    write(admitted(bindingLimits('odd', 'user', 0, 0)))[1],
    '"odd-user";q=0;qu="a \\"b\\" \\\\c";w=2592000',
  );
  t.equal(write(admitted(bindingLimits('euro', 'user', 100, 0)))[1], '"euro-user";q=1;qu="euro";w=2592000');
  t.equal(sfString('plain ~'), '"plain ~"');
  for (const text of ['é', '\n', '\u007f', '€']) t.equal(sfString(text), undefined);
});
