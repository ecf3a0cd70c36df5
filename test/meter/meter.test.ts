// A request costs what its route says, exactly; a cost that cannot be used is refused, never taken as 0.
import t from 'tap';
import { ProblemError } from '../../src/errors/catalogue.js';
import { encodeCharges } from '../../src/ledger/codec.js';
import { compileMeter, type MeterSpec } from '../../src/meter/meter.js';
import type { Charges } from '../../src/quota/charge.js';

const QUOTAS = { usage: { decimals: 1 }, lds: { decimals: 0 }, fine: { decimals: 6 } };

function meter(...charges: MeterSpec[]) {
  return compileMeter({ action: 'geocoding', charges, bodyLimitBytes: 1_000 }, QUOTAS);
}

function textOf(priced: { readonly charges: Charges } | undefined): string | undefined {
  return priced && encodeCharges(priced.charges);
}

/** The wire text of the charges, or the code of the refusal. */
function price(charges: MeterSpec | MeterSpec[], rawHeaders: string[], body?: string): string {
  try {
    const request = {
      path: '/',
      query: '',
      rawHeaders,
      body: body === undefined ? undefined : Buffer.from(body),
    };
    const priced = meter(...[charges].flat()).measure(request);
    return priced instanceof Promise ? 'later' : encodeCharges(priced.charges);
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

t.test('costs known at boot are priced once', async (t) => {
  const route = meter(
    { quota: 'usage', units: '0.1' },
    { quota: 'lds', units: 10 },
    { quota: 'fine', gate: true },
  );
  t.equal(textOf(route.fixed), 'geocoding;usage=1,lds=10,fine!0');
  t.equal(route.needsBody, false);
  t.equal(route.bodyLimitBytes, 1_000);
  t.equal(route.measure({ path: '/', query: '', rawHeaders: [], body: undefined }), route.fixed);
  t.same(route.fixed?.charges.items[0], { quota: 'usage', units: 1, kind: 'fixed' });
  t.equal(textOf(meter().fixed), 'geocoding;');
  t.equal(textOf(meter({ quota: 'lds', units: 1 }, { quota: 'lds', units: 2 }).fixed), 'geocoding;lds=3');
});

t.test('a cost in a header', async (t) => {
  const header: MeterSpec = { quota: 'usage', header: 'X-Units' };
  const CASES: [rawHeaders: string[], text: string][] = [
    [['x-units', '3'], 'geocoding;usage=30'],
    [['Host', 'h', 'X-UNITS', '0.1', 'Accept', '*/*'], 'geocoding;usage=1'],
    [['x-units', '0'], 'geocoding;usage!0'],
    [['x-units', '0.0'], 'geocoding;usage!0'],
    [[], 'cost-invalid'],
    [['x-unit', '3'], 'cost-invalid'],
    [['x-units', '3', 'x-units', '3'], 'cost-invalid'],
    [['x-units', '3', 'X-Units', '4'], 'cost-invalid'],
    [['x-units', '3', 'x_units', '4'], 'cost-invalid'],
    [['x_units', '3'], 'cost-invalid'],
    [['x-units', '3', 'Connection', 'X-Units'], 'cost-invalid'],
    [['x-units', '3', 'Connection', 'close, x_units'], 'cost-invalid'],
    [['x-units', '3', 'Connection', 'keep-alive'], 'geocoding;usage=30'],
    [['x-units', '3', 'Connection', 'keep-alive, te'], 'geocoding;usage=30'],
    ...[
      '',
      ' 3',
      '3 ',
      '+3',
      '-3',
      '-0',
      '1e3',
      '0x10',
      '3,4',
      '3;4',
      'NaN',
      'Infinity',
      '1_000',
      '٣',
      '01',
      '.5',
      '5.',
      '0.11',
      '9'.repeat(30),
    ].map((value): [string[], string] => [['x-units', value], 'cost-invalid']),
    [['x-units', '900000000000000'], 'geocoding;usage=9000000000000000'],
    [['x-units', '900000000000000.1'], 'cost-invalid'],
  ];
  for (const [rawHeaders, text] of CASES) t.equal(price(header, rawHeaders), text, rawHeaders.join(' '));
  t.equal(meter(header).needsBody, false);
  t.equal(meter(header).fixed, undefined);
});

t.test('a number in the body', async (t) => {
  const json: MeterSpec = { quota: 'usage', json: '/options/count' };
  const at = (value: string) => `{"options":{"count":${value}}}`;
  const CASES: [body: string | undefined, text: string][] = [
    [at('3'), 'geocoding;usage=30'],
    [at('0.1'), 'geocoding;usage=1'],
    [at('1e1'), 'geocoding;usage=100'],
    [at('0'), 'geocoding;usage!0'],
    [at('0.11'), 'cost-invalid'],
    [at('-1'), 'cost-invalid'],
    [at('-0'), 'cost-invalid'],
    [at('1e309'), 'cost-invalid'],
    [at('900000000000000.1'), 'cost-invalid'],
    [at('"3"'), 'cost-invalid'],
    [at('null'), 'cost-invalid'],
    [at('true'), 'cost-invalid'],
    [at('[3]'), 'cost-invalid'],
    [at('{"count":3}'), 'cost-invalid'],
    ['{"options":{}}', 'cost-invalid'],
    ['{"options":[3]}', 'cost-invalid'],
    ['{"count":3}', 'cost-invalid'],
    ['3', 'cost-invalid'],
    [at('NaN'), 'body-malformed'],
    ['{"options":{"count":1},"options":{"count":1000}}', 'body-malformed'],
    ['{"options":{"count":1,"count":1000}}', 'body-malformed'],
    ['', 'body-malformed'],
    [undefined, 'body-malformed'],
  ];
  for (const [body, text] of CASES) t.equal(price(json, [], body), text, body ?? 'no body');
  t.equal(meter(json).needsBody, true);
});

t.test('the length of an array in the body', async (t) => {
  const lengths: MeterSpec = { quota: 'lds', jsonLength: '/addresses' };
  const CASES: [body: string, text: string][] = [
    [
      JSON.stringify({ addresses: Array.from({ length: 10_000 }, (_, index) => `Street ${index}`) }),
      'geocoding;lds=10000',
    ],
    ['{"addresses":[[1,2,3]]}', 'geocoding;lds=1'],
    ['{"addresses":[]}', 'geocoding;lds!0'],
    ['{"addresses":3}', 'cost-invalid'],
    ['{"addresses":"abc"}', 'cost-invalid'],
    ['{"addresses":{"length":3}}', 'cost-invalid'],
    ['{"addresses":null}', 'cost-invalid'],
    ['{}', 'cost-invalid'],
    ['{"addresses":[1],"addresses":[1,2]}', 'body-malformed'],
    [`{"addresses":[1],"x":${'['.repeat(500)}${']'.repeat(500)}}`, 'body-malformed'],
  ];
  for (const [body, text] of CASES) t.equal(price(lengths, [], body), text, body.slice(0, 60));
  t.equal(price({ quota: 'usage', jsonLength: '' }, [], '[1,2,3]'), 'geocoding;usage=30', 'the whole body');
});

t.test('charges of several kinds, on one quota or more', async (t) => {
  const body = '{"n":2,"m":7,"list":[1,2,3]}';
  const all: MeterSpec[] = [
    { quota: 'usage', units: '0.5' },
    { quota: 'usage', header: 'x-units' },
    { quota: 'lds', json: '/n' },
    { quota: 'lds', jsonLength: '/list' },
    { quota: 'lds', json: '/n' },
    { quota: 'fine', json: '/m' },
  ];
  t.equal(price(all, ['x-units', '1'], body), 'geocoding;usage=15,lds=7,fine=7000000');
  const huge: MeterSpec[] = [
    { quota: 'lds', json: '/a' },
    { quota: 'lds', json: '/b' },
  ];
  t.equal(price(huge, [], '{"a":4500000000000000,"b":4500000000000000}'), 'geocoding;lds=9000000000000000');
  t.equal(price(huge, [], '{"a":9000000000000000,"b":1}'), 'cost-invalid', 'each fits, their sum does not');
  t.equal(
    price(
      [
        { quota: 'lds', gate: true },
        { quota: 'lds', json: '/n' },
      ],
      [],
      body,
    ),
    'geocoding;lds=2',
  );
});

t.test('a route that no request could be priced by is refused at start', async (t) => {
  t.throws(() => meter({ quota: 'none', units: 1 }), /quota "none" not found/);
  t.throws(() => meter({ quota: 'toString', units: 1 }), /quota "toString" not found/);
  for (const units of [-1, '0.01', '1e3', '', Number.NaN, 1e16]) {
    t.throws(() => meter({ quota: 'usage', units }), /is not an amount/, String(units));
  }
  const most = { quota: 'lds', units: 9_000_000_000_000_000 };
  t.throws(() => meter(most, most), /costs more than/);
  t.throws(() => meter({ quota: 'lds', json: 'n' }), /not a JSON pointer/);
  t.throws(() => meter(...Array.from({ length: 9 }, () => most)), /more than 8 charges/);
  t.throws(() => compileMeter({ action: 'a b', charges: [], bodyLimitBytes: 1 }, QUOTAS), /not a valid id/);
});

t.test('a number that can be left out', (t) => {
  const route = { action: 'a', bodyLimitBytes: 1_000, charges: [{ quota: 'lds', json: '/n', default: 3 }] };
  const meter = compileMeter(route, { lds: { decimals: 0 } });
  const units = (body: string) => {
    const one = meter.measure({ path: '/', query: '', rawHeaders: [], body: Buffer.from(body) });
    return one instanceof Promise ? undefined : one.charges.items[0]?.units;
  };
  t.equal(units('{}'), 3);
  t.equal(units('{"n":null}'), 3);
  t.equal(units('{"n":7}'), 7);
  for (const value of ['"7"', 'true', '[7]', '{}', '-1', '1.5'])
    t.throws(() => units(`{"n":${value}}`), { code: 'cost-invalid' }, value);
  t.end();
});
