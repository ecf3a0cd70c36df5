// A refusal says whose limit is exceeded, how much is consumed, when it resets, and whether to retry.
import t from 'tap';
import { CATALOGUE, type ErrorCode, ProblemError } from '../../src/errors/catalogue.js';
import { rateLimitFields } from '../../src/gateway/ratelimit-fields.js';
import { quotaRefusals, type Refusal, refusal } from '../../src/gateway/refusal.js';
import type { Refused, Violation } from '../../src/ledger/port.js';

const QUOTAS = { usage: { decimals: 1, unit: 'units' }, ai: { decimals: 0, unit: 'tokens' } };
const CYCLE = { start: Date.UTC(2026, 4, 20), end: Date.UTC(2026, 5, 20) };
const NOW = CYCLE.end - 90_500;
const REQUEST = { org: 'acme', userId: 'zoë', action: 'geocoding', cycle: CYCLE, now: NOW };

const fields = rateLimitFields(QUOTAS);
const { refusal: quotaRefusal } = quotaRefusals(QUOTAS, fields);

const violation = (over: Partial<Violation>): Violation => {
  return { quota: 'ai', scope: 'user', group: '', limit: 100, consumed: 100, held: 0, requested: 5, ...over };
};
const refused = (reason: Refused['reason'], ...violated: Violation[]): Refused => {
  return { status: 'refused', reason, primary: 0, groups: '', violated, bindingLimits: [] };
};

function header({ headers }: Refusal, name: string): string | undefined {
  const found: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) found.push(headers[index + 1] ?? '');
  }
  if (found.length > 1) throw new Error(`${name} stands in it twice`);
  return found[0];
}

const json = ({ body }: Refusal) => JSON.parse(body.toString()) as Record<string, unknown>;

t.test('an exceeded quota', async (t) => {
  const result = refused(
    'spent',
    violation({ quota: 'usage', limit: 1_005, consumed: 1_000, held: 3, requested: 10 }),
  );
  const answer = quotaRefusal(result, REQUEST);
  t.equal(answer.status, 429);
  t.same(json(answer), {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: CATALOGUE['quota-exceeded'].title,
    status: 429,
    detail:
      'usage quota exceeded: requested 1, 100 of 100.5 units consumed, 0.3 held (limit of user "zoë", resets 2026-06-20T00:00Z)',
    code: 'quota-exceeded',
    'violated-policies': ['usage-user'],
    quota: 'usage',
    scope: 'user',
    subject: 'zoë',
    action: 'geocoding',
    limit: 100.5,
    consumed: 100,
    held: 0.3,
    requested: 1,
    resetsAt: '2026-06-20T00:00:00.000Z',
  });
  t.equal(header(answer, 'content-type'), 'application/problem+json');
  t.equal(header(answer, 'content-length'), String(answer.body.length));
  t.equal(header(answer, 'cache-control'), 'no-store');
  t.equal(header(answer, 'quotagate-error'), 'quota-exceeded');
  t.equal(header(answer, 'x-should-retry'), 'false');
  t.equal(header(answer, 'retry-after'), '91', 'rounded up');
  t.same(answer.headers.slice(-4), fields(result, CYCLE, NOW));
  t.equal(header(quotaRefusal(result, { ...REQUEST, now: CYCLE.end }), 'retry-after'), '1', 'never at once');
});

t.test('a quota held by requests in flight is worth a retry in seconds', async (t) => {
  const result = refused('held', violation({ consumed: 50, held: 50 }));
  const waits = new Set<string | undefined>();
  for (let turn = 0; turn < 200; turn += 1) waits.add(header(quotaRefusal(result, REQUEST), 'retry-after'));
  t.same([...waits].sort(), ['1', '2', '3', '4', '5'], 'spread over 1 to 5 seconds');
  const answer = quotaRefusal(result, REQUEST);
  t.equal(answer.status, 429);
  t.match(json(answer), {
    code: 'budget-held',
    type: /#quota-exceeded$/,
    consumed: 50,
    held: 50,
    limit: 100,
  });
  t.equal(header(answer, 'quotagate-error'), 'budget-held');
  t.equal(header(answer, 'x-should-retry'), undefined);
  t.equal(header(answer, 'ratelimit'), '"ai-user";r=0');
});

t.test('the subject is the one whose limit it is', async (t) => {
  const subject = (over: Partial<Violation>) => {
    const { scope, subject } = json(quotaRefusal(refused('spent', violation(over)), REQUEST));
    return [scope, subject];
  };
  t.same(subject({}), ['user', 'zoë']);
  t.same(subject({ scope: 'group', group: 'ml' }), ['group', 'ml']);
  t.same(subject({ scope: 'org' }), ['org', 'acme']);
});

t.test('of several violations the primary one is reported, and all are named once', async (t) => {
  const held = violation({ consumed: 10, held: 90 });
  const ml = violation({ scope: 'group', group: 'ml' });
  const dev = violation({ scope: 'group', group: 'dev', limit: 7 });
  const org = violation({ quota: 'usage', scope: 'org', requested: 0 });
  const problem = (...args: Parameters<typeof refused>) => json(quotaRefusal(refused(...args), REQUEST));
  t.match(problem('spent', ml, dev, org), { subject: 'ml', 'violated-policies': ['ai-group', 'usage-org'] });
  t.match(json(quotaRefusal({ ...refused('spent', held, dev, org), primary: 1 }, REQUEST)), {
    subject: 'dev',
    limit: 7,
    'violated-policies': ['ai-user', 'ai-group', 'usage-org'],
  });
  t.match(
    json(quotaRefusal({ ...refused('spent', held, org), primary: 1 }, REQUEST)),
    { subject: 'acme', quota: 'usage', requested: 0 },
    'an exhausted gate is spent',
  );
  t.match(problem('held', held, violation({ scope: 'org', consumed: 0, held: 100 })), { subject: 'zoë' });
});

t.test('every error of the catalogue has a response', async (t) => {
  for (const [code, { status, title }] of Object.entries(CATALOGUE)) {
    const answer = refusal(new ProblemError(code as ErrorCode, 'Because.', { members: { extra: 1 } }), [
      'X-More',
      'yes',
    ]);
    t.equal(answer.status, status, code);
    t.match(json(answer), { code, status, title, detail: 'Because.', extra: 1 });
    t.equal(header(answer, 'content-length'), String(answer.body.length));
    t.equal(header(answer, 'quotagate-error'), code);
    t.equal(header(answer, 'x-more'), 'yes');
    t.equal(
      header(answer, 'www-authenticate') !== undefined,
      status === 401,
      `a challenge with 401 alone: ${code}`,
    );
    const wait = header(answer, 'retry-after');
    t.equal(
      wait !== undefined && Number(wait) >= 1 && Number(wait) <= 5,
      status === 503,
      `Retry-After with 503 alone: ${code}`,
    );
  }
});
