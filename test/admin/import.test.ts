// Users are imported from CSV or JSON: all rows or none, and every bad row is reported with its line.
import { createHash } from 'node:crypto';
import t from 'tap';
import { type Json, onBothLedgers, startAcme, TOKEN } from './support.js';

const CSV = `id,name,email,status,groups
eve,"Jones, Eve",eve@example.com,,eng;ops
ann,,,,ops
bob,,,inactive,
`;

const post = async (url: string, body: string, type = 'text/csv', query = '', headers = {}) => {
  const response = await fetch(`${url}/v1/orgs/acme/users/import${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type, ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as Json };
};

t.test('rows add users and change what they name', async (t) => {
  const { url, send } = await startAcme(t, { seats: 3 });
  const counts = { rows: 3, added: 1, changed: 2, unchanged: 0, seatsUsed: 2 };
  const sha256 = createHash('sha256').update(CSV).digest('hex');
  t.match(await post(url, CSV, 'text/csv; charset=utf-8', '?dryRun=true'), { status: 200, body: counts });
  t.match(await send('GET', '/orgs/acme/users/eve'), { status: 404 });
  t.strictSame(await post(url, CSV, 'text/csv', '?reason=spring'), {
    status: 200,
    body: { ...counts, sha256 },
  });
  const user = async (id: string) => (await send('GET', `/orgs/acme/users/${id}`)).body;
  t.match(await user('eve'), { name: 'Jones, Eve', status: 'active', groups: ['eng', 'ops'] });
  t.match(await user('ann'), { name: 'Ann Smith', email: 'ann@example.com', groups: ['ops'] });
  t.match(await user('bob'), { status: 'inactive', groups: ['eng', 'ops'] });
  t.equal((await send('GET', '/orgs/acme')).body.seatsUsed, 2);
  const { items } = (await send('GET', '/orgs/acme/audit')).body;
  t.match(items[0], { action: 'user.import', to: { ...counts, sha256 }, reason: 'spring' });
  t.match((await post(url, CSV)).body, { added: 0, changed: 0, unchanged: 3 });
  t.equal((await send('GET', '/orgs/acme/audit')).body.items.length, items.length, 'nothing changed');
});

t.test('JSON rows are the same', async (t) => {
  const { url, send } = await startAcme(t);
  const rows = [
    { id: 'eve', name: 'Eve', groups: ['eng'] },
    { id: 'ann', role: 'admin' },
  ];
  const json = JSON.stringify(rows);
  t.match(await post(url, json, 'application/json'), {
    status: 200,
    body: { added: 1, changed: 0, unchanged: 1 },
  });
  t.match((await send('GET', '/orgs/acme/users/eve')).body, { name: 'Eve', groups: ['eng'] });
  for (const [bad, problem] of [
    ['{"id":"x"}', /array/],
    ['[{"id":"x"', /complete/],
    ['[{"id":', /complete/],
    ['nonsense', /not JSON/],
    ['[]', /no rows/],
  ] as const)
    t.match(await post(url, bad, 'application/json'), { status: 422, body: { detail: problem } }, bad);
});

t.test('every bad row is reported with its line, and nothing is imported', async (t) => {
  const { url, send } = await startAcme(t);
  const lines = ['id,email,groups,status', 'eve,eve@example.com,,', 'x,not mail,,', 'y,,nope;eng,', ',,,'];
  const { status, body } = await post(url, [...lines, 'eve,,,', 'z,,,gone'].join('\n'));
  t.equal(status, 422);
  t.same(
    body.errors.map(({ line, field }: Json) => [line, field]),
    [
      [3, 'email'],
      [5, 'id'],
      [6, 'id'],
      [7, 'status'],
    ],
  );
  t.equal(body.problems, 4);
  t.match(
    (
      await post(
        url,
        lines
          .slice(0, 2)
          .concat(lines[3] ?? '')
          .join('\n'),
      )
    ).body,
    {
      errors: [{ line: 3, field: 'groups', problem: 'group nope not found' }],
    },
  );
  t.match(await post(url, 'id,shoes\na,b\n'), { status: 422, body: { detail: /unknown column "shoes"/ } });
  t.match(await post(url, 'name\nb\n'), { status: 422, body: { detail: /no column "id"/ } });
  t.match(await post(url, 'id,name\n"b\n'), { status: 422, body: { detail: /not CSV/ } });
  t.match(await post(url, 'a', 'text/plain'), { status: 415 });
  t.match(await post(url, 'id\nq1\nq2\n'), { status: 409, body: { code: 'seats-taken' } });
  t.equal((await send('GET', '/orgs/acme/users')).body.items.length, 2);
});

t.test('the same key and file have one effect', async (t) => {
  const { url } = await startAcme(t, { seats: 9 });
  const key = { 'idempotency-key': 'k1' };
  const first = await post(url, 'id\neve\n', 'text/csv', '', key);
  t.strictSame(await post(url, 'id\neve\n', 'text/csv', '', key), first);
  t.match(await post(url, 'id\nmax\n', 'text/csv', '', key), { status: 422 });
});

onBothLedgers('thousands of rows become current in one step', async (t, { ledger, one, other }) => {
  await one('PUT', '/orgs/acme', { cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' } });
  const rows = Array.from({ length: 3_000 }, (_, index) => ({ id: `u${index}`, groups: ['eng'] }));
  t.match(await one('POST', '/orgs/acme/users/import', rows), {
    status: 200,
    body: { added: 3_000, seatsUsed: 3_002 },
  });
  t.match((await other('GET', '/orgs/acme/users/u2999')).body, { status: 'active', groups: ['eng'] });
  const { values } = await ledger.read('acme', [
    { table: 'records', fields: ['members:eng#0'] },
    { table: 'org', fields: ['state'] },
  ]);
  t.same(values, [['3002'], ['open']]);
});
