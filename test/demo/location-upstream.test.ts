// The sample API answers what its first lines promise, and says in JSON what it cannot answer.
import t from 'tap';
import { startDemoUpstream } from '../../src/demo/location-upstream.js';

const demo = await startDemoUpstream();
t.teardown(() => demo.close());

async function call(path: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${demo.port}${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

const post = (path: string, body: unknown) => call(path, { method: 'POST', body: JSON.stringify(body) });
const query = async (q: string) => call(`/v3/sql?q=${encodeURIComponent(q)}`);

t.test('tiles', async (t) => {
  const { status, body } = await call('/v3/maps/0331');
  t.equal(status, 200);
  t.same([body.quadkey, body.zoom, body.x, body.y], ['0331', 4, 7, 6]);
  t.same(body.bounds, [-22.5, 21.943046, 0, 40.979898]);
  t.same(body.cities, ['Madrid', 'Sevilla', 'Valencia']);
  t.same((await call('/v3/maps/4/7/6')).body, body, 'the same tile by its numbers');
  t.same((await call('/v3/maps/0/0/0')).body.cities.length, 12);
  t.equal((await call('/v3/maps/0331', { method: 'HEAD' })).status, 200);
  for (const wrong of ['5', '1/2/0', '4/7', '4/7/6/1', 'x', ''])
    t.match(await call(`/v3/maps/${wrong}`), { status: 404, body: { error: String } }, wrong);
});

t.test('queries', async (t) => {
  t.equal((await query('SELECT * FROM cities')).body.total_rows, 12);
  const spain = await query(
    "select name, population from cities where country = 'ES' order by population desc limit 2",
  );
  t.same(spain.body.rows, [
    { name: 'Madrid', population: 3_333_000 },
    { name: 'Valencia', population: 808_000 },
  ]);
  t.same((await query('SELECT count(*) FROM cities WHERE population > 10000000;')).body.rows, [{ count: 5 }]);
  t.same((await query('SELECT name FROM cities WHERE latitude < -30')).body.rows, [{ name: 'Sydney' }]);
  t.same((await post('/v3/sql', { q: 'SELECT count(*) FROM cities' })).body.rows, [{ count: 12 }]);
  for (const wrong of [
    '',
    'DROP TABLE cities',
    'SELECT mayor FROM cities',
    'SELECT * FROM users',
    'SELECT * FROM cities WHERE',
  ])
    t.match(await query(wrong), { status: 400, body: { error: String } }, wrong);
  t.equal((await call('/v3/sql', { method: 'POST', body: 'no json' })).status, 400);
});

t.test('geocoding: a result for each address, an error for each that has none', async (t) => {
  const addresses = ['Calle Mayor 1, Madrid', '', 'Main Street, Nowhere', 7, 'Calle Mayor 1, Madrid'];
  const { status, body } = await post('/v3/lds/geocoding', { addresses });
  t.equal(status, 200);
  t.match(body, { found: 2, failed: 3 });
  const [first, empty, nowhere, number, again] = body.results;
  t.match(first, { index: 0, city: 'Madrid', country: 'ES' });
  t.ok(Math.abs(first.latitude - 40.4168) < 0.05 && Math.abs(first.longitude + 3.7038) < 0.05);
  t.same({ ...again, index: 0 }, first, 'the same address, the same place');
  for (const result of [empty, nowhere, number]) t.match(result, { error: String, city: undefined });
  t.equal((await post('/v3/lds/geocoding', { addresses: 'Madrid' })).status, 400);
  t.equal((await post('/v3/lds/geocoding', null)).status, 400);
  t.equal((await post('/v3/lds/geocoding', { addresses: Array(100_001).fill('') })).status, 413);
  t.equal(
    (await call('/v3/lds/geocoding', { method: 'POST', body: ' '.repeat(9 * 1024 * 1024) })).status,
    413,
  );
});

t.test('slow: the answer comes in pieces', async (t) => {
  const response = await fetch(`http://127.0.0.1:${demo.port}/v3/slow?ms=250`);
  let pieces = 0;
  let text = '';
  for await (const piece of response.body ?? []) {
    pieces += 1;
    text += Buffer.from(piece).toString();
  }
  t.ok(pieces > 1, `${pieces} pieces`);
  const lines = text.trim().split('\n');
  t.same(JSON.parse(lines.at(-1) ?? ''), { elapsedMs: 250, ofMs: 250 });
  t.equal(lines.length, 4);
  t.equal((await call('/v3/slow?ms=-1')).status, 400);
  t.equal((await call('/v3/slow?ms=soon')).status, 400);
});

t.test('all else is refused in JSON', async (t) => {
  t.match(await call('/v3/other'), { status: 404, body: { error: String } });
  const wrong = await call('/v3/lds/geocoding');
  t.match(wrong, { status: 405, body: { error: 'use POST' } });
  t.equal(wrong.headers.get('allow'), 'POST');
  t.equal((await call('/v3/maps/0', { method: 'DELETE' })).status, 405);
});
