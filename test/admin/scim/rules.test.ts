// The rules of users and groups hold for a directory as for an admin, and refusals are SCIM errors.
import t from 'tap';
import { buildAdmin } from '../../../src/admin/index.js';
import { bearer, checkResponses, QUOTAS, startAcme, TOKEN } from '../support.js';
import { filter, refusal, SCIM, USER, withDirectory } from './support.js';

withDirectory('a userName is unique without regard to case, an externalId exactly', async (t, { scim }) => {
  const jo = { schemas: [USER], userName: 'jo', externalId: 'x1' };
  t.equal((await scim('POST', '/Users', jo)).status, 201);
  t.same(refusal(await scim('POST', '/Users', { userName: 'jo' })), [409, 'uniqueness']);
  t.same(refusal(await scim('POST', '/Users', { userName: 'JO' })), [409, 'uniqueness']);
  t.same(refusal(await scim('POST', '/Users', { userName: 'al', externalId: 'x1' })), [409, 'uniqueness']);
  t.equal((await scim('POST', '/Users', { userName: 'al', externalId: 'X1' })).status, 201);
  t.same(refusal(await scim('PUT', '/Users/al', { userName: 'al', externalId: 'x1' })), [409, 'uniqueness']);
  t.same(
    refusal(await scim('POST', '/Users', { userName: 'ann' })),
    [409, 'uniqueness'],
    'added by an admin',
  );
});

withDirectory('the id by which requests name the user cannot change', async (t, { scim, patch }) => {
  await scim('POST', '/Users', { userName: 'jo', externalId: 'x1' });
  t.same(refusal(await scim('PUT', '/Users/jo', { userName: 'joe' })), [400, 'mutability']);
  t.same(refusal(await patch('/Users/jo', { op: 'replace', path: 'userName', value: 'Jo' })), [
    400,
    'mutability',
  ]);
  t.equal(
    (await patch('/Users/jo', { op: 'replace', path: 'externalId', value: 'x2' })).body.externalId,
    'x2',
  );
  t.equal((await scim('GET', filter('/Users', 'externalId eq "x1"'))).body.totalResults, 0);
  t.equal((await scim('GET', filter('/Users', 'externalId eq "x2"'))).body.totalResults, 1);
  t.equal(
    (await scim('POST', '/Users', { userName: 'al', externalId: 'x1' })).status,
    201,
    'the old one is free',
  );
});

withDirectory(
  'a deleted user comes back with their limits and consumption, in no group',
  async (t, { scim, one }) => {
    await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', units: 7 });
    t.equal((await scim('DELETE', '/Users/ann')).status, 204);
    t.equal((await scim('DELETE', '/Users/ann')).status, 404);
    t.equal((await one('GET', '/orgs/acme')).body.seatsUsed, 1, 'the seat is free');
    const back = await scim('POST', '/Users', { userName: 'ann', displayName: 'Ann' });
    t.match([back.status, back.body.id, back.body.groups], [201, 'ann', []]);
    const { body } = await one('GET', '/orgs/acme/users/ann');
    t.match([body.status, body.groups, body.quotas.usage.cap], ['active', [], 7]);
  },
);

withDirectory('a user whom SCIM did not create is found and adopted', async (t, { scim, patch }) => {
  const found = (await scim('GET', filter('/Users', 'userName eq "bob"'))).body.Resources;
  t.match(found, [{ id: 'bob', userName: 'bob', groups: [{ value: 'eng' }, { value: 'ops' }] }]);
  await patch('/Users/bob', { op: 'add', path: 'externalId', value: 'x9' });
  t.equal((await scim('GET', filter('/Users', 'externalId eq "x9"'))).body.totalResults, 1);
  t.equal((await scim('GET', filter('/Users', 'userName eq "BOB"'))).body.totalResults, 1);
  const { body } = await scim('GET', filter('/Users', 'emails.value co "@example.com" and active eq true'));
  t.same(
    body.Resources.map(({ id }: { id: string }) => id),
    ['ann'],
  );
});

withDirectory(
  'all seats taken, and the 65th group: refused, and nothing changes',
  async (t, { scim, patch, one }) => {
    const cycle = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
    await one('PUT', '/orgs/acme', { cycle, seats: 2 });
    const full = await scim('POST', '/Users', { userName: 'jo' });
    t.match(
      [full.status, full.body.schemas, full.body.status],
      [409, ['urn:ietf:params:scim:api:messages:2.0:Error'], '409'],
    );
    t.match(full.body.detail, /All 2 seats are taken/);
    t.equal(
      (await scim('POST', '/Users', { userName: 'jo', active: false })).status,
      201,
      'inactive takes no seat',
    );
    t.equal((await patch('/Users/jo', { op: 'replace', path: 'active', value: true })).status, 409);
    for (let index = 1; index <= 64; index += 1) {
      const { status } = await scim('POST', '/Groups', {
        displayName: `g ${index}`,
        members: [{ value: 'jo' }],
      });
      if (status !== 201) t.fail(`group ${index}: ${status}`);
    }
    const last = await scim('POST', '/Groups', {
      displayName: 'last',
      members: [{ value: 'ann' }, { value: 'jo' }],
    });
    t.same(refusal(last), [400, 'invalidValue']);
    t.equal((await scim('GET', filter('/Groups', 'displayName eq "last"'))).body.totalResults, 0);
    t.same(refusal(await patch('/Groups/eng', { op: 'add', path: 'members', value: [{ value: 'jo' }] })), [
      400,
      'invalidValue',
    ]);
  },
);

withDirectory(
  'a group id comes from the first name, is never shared, and survives a rename',
  async (t, { scim, patch }) => {
    const idOf = async (displayName: string) => (await scim('POST', '/Groups', { displayName })).body.id;
    t.equal(await idOf('Café Ñandú / Süd'), 'cafe-nandu-sud');
    t.same([await idOf('R&D'), await idOf('r d'), await idOf('R–D')], ['r-d', 'r-d-2', 'r-d-3']);
    t.same([await idOf('日本'), await idOf('///')], ['group', 'group-2']);
    t.equal(await idOf('Eng'), 'eng-2', 'a group that an admin added');
    t.equal(await idOf(`${'long '.repeat(20)}`), 'long-'.repeat(20).slice(0, 64).replace(/-$/, ''));
    await patch('/Groups/r-d', { op: 'replace', path: 'displayName', value: 'Research' });
    t.equal(await idOf('Research'), 'research');
    for (let number = 4; number <= 12; number += 1)
      t.equal(await idOf('R D'), number === 4 ? 'r-d-4' : `r-d-${number}`);
  },
);

withDirectory(
  'unknown members, read-only attributes and unreadable input: refused with the SCIM type',
  async (t, { scim, patch }) => {
    const add = (value: unknown) => patch('/Groups/eng', { op: 'add', path: 'members', value });
    t.same(refusal(await add([{ value: 'nobody' }])), [400, 'invalidValue']);
    t.same(refusal(await add([{ display: 'x' }])), [400, 'invalidValue']);
    t.same(refusal(await scim('POST', '/Users', { displayName: 'x' })), [400, 'invalidValue']);
    t.same(refusal(await scim('POST', '/Users', { userName: 'x', active: 'perhaps' })), [
      400,
      'invalidValue',
    ]);
    t.same(refusal(await scim('POST', '/Users', { userName: 7 })), [400, 'invalidValue']);
    t.same(refusal(await scim('POST', '/Users', { userName: 'x', emails: [{ value: 'no address' }] })), [
      400,
      'invalidValue',
    ]);
    t.same(refusal(await scim('POST', '/Users', '{')), [400, 'invalidSyntax']);
    t.same(refusal(await scim('POST', '/Users', [])), [400, 'invalidValue']);
    t.equal((await scim('POST', '/Users', { userName: 'x' }, { 'content-type': 'text/plain' })).status, 415);
    t.same(refusal(await patch('/Users/ann', { op: 'replace', path: 'id', value: 'x' })), [
      400,
      'mutability',
    ]);
    t.same(refusal(await patch('/Users/ann', { op: 'merge', path: 'active', value: true })), [
      400,
      'invalidSyntax',
    ]);
    t.same(refusal(await patch('/Users/ann', { op: 'remove' })), [400, 'noTarget']);
    t.same(refusal(await patch('/Users/ann', { op: 'remove', path: 'userName' })), [400, 'invalidValue']);
    t.same(refusal(await scim('PATCH', '/Users/ann', {})), [400, 'invalidSyntax']);
    t.same(refusal(await patch('/Users/ann', { op: 'add', path: 'emails[type eq', value: 'x' })), [
      400,
      'invalidPath',
    ]);
    for (const text of ['userName', 'userName eq', 'shoe eq "1"', 'name.shoe pr', '(userName eq "x"'])
      t.same(refusal(await scim('GET', filter('/Users', text))), [400, 'invalidFilter'], text);
    t.equal((await scim('GET', '/Users?pageSize=1')).status, 400, 'an unknown parameter');
    t.equal((await scim('GET', '/Nothing')).body.schemas[0], 'urn:ietf:params:scim:api:messages:2.0:Error');
    t.equal((await scim('DELETE', '/Users')).status, 405);
    t.match((await scim('GET', '/Users', undefined, bearer('nonsense'))).body, {
      status: '401',
      code: 'token-invalid',
    });
  },
);

withDirectory('no path or name in a PATCH reaches a prototype', async (t, { patch, scim }) => {
  for (const path of [
    '__proto__.polluted',
    'constructor.prototype.polluted',
    'name.__proto__.polluted',
    'emails[type eq "work"].__proto__',
  ])
    await patch('/Users/ann', { op: 'add', path, value: 'x' });
  for (const value of [{ 'constructor.prototype.polluted': 'x' }, { '__proto__.polluted': 'x' }]) {
    await patch('/Users/ann', { op: 'add', path: 'name', value });
    await patch('/Users/ann', { op: 'add', value });
    await patch('/Groups/eng', { op: 'add', value });
  }
  t.notOk('polluted' in {});
  t.equal((await scim('GET', '/Users/ann')).body.displayName, 'Ann Smith');
});

withDirectory('pages follow each other, and attributes are selected', async (t, { scim }) => {
  for (let index = 0; index < 25; index += 1)
    await scim('POST', '/Users', { userName: `u${String(index).padStart(2, '0')}` });
  const seen: string[] = [];
  for (let startIndex = 1; startIndex <= 27; startIndex += 10) {
    const { body } = await scim('GET', `/Users?startIndex=${startIndex}&count=10`);
    t.match([body.totalResults, body.startIndex], [27, startIndex]);
    seen.push(...body.Resources.map(({ userName }: { userName: string }) => userName));
  }
  t.same(seen, [
    'ann',
    'bob',
    ...Array.from({ length: 25 }, (_, index) => `u${String(index).padStart(2, '0')}`),
  ]);
  t.match((await scim('GET', '/Users?startIndex=0&count=-1')).body, {
    startIndex: 1,
    itemsPerPage: 0,
    totalResults: 27,
  });
  const few = (await scim('GET', '/Users?attributes=userName,meta.location&count=1')).body.Resources[0];
  t.same(Object.keys(few).sort(), ['id', 'meta', 'schemas', 'userName']);
  t.same(Object.keys(few.meta), ['location']);
  const search = { attributes: ['userName'], filter: 'userName sw "U2"', count: 3 };
  const found = (await scim('POST', '/Users/.search', search)).body;
  t.match([found.totalResults, found.Resources.length], [5, 3]);
  t.match((await scim('POST', '/Groups/.search', { filter: 'displayName eq "engineering"' })).body, {
    totalResults: 1,
  });
});

withDirectory('If-Match: a stale version changes nothing', async (t, { scim, other }) => {
  const { body } = await scim('POST', '/Users', { userName: 'jo' });
  const { version } = body.meta;
  await other('PATCH', '/orgs/acme/users/jo', { name: 'Jo' });
  const put = { userName: 'jo', displayName: 'X' };
  t.equal((await scim('PUT', '/Users/jo', put, { 'if-match': version })).status, 412);
  const now = (await scim('GET', '/Users/jo')).body;
  t.equal(now.displayName, 'Jo');
  t.equal((await scim('PUT', '/Users/jo', put, { 'if-match': now.meta.version })).status, 200);
  const group = (await scim('GET', '/Groups/eng')).body.meta.version;
  t.equal((await scim('DELETE', '/Groups/eng', undefined, { 'if-match': 'W/"other"' })).status, 412);
  t.equal((await scim('DELETE', '/Groups/eng', undefined, { 'if-match': group })).status, 204);
});

withDirectory('more members than one commit takes', async (t, { scim, patch, one }) => {
  const names = Array.from({ length: 600 }, (_, index) => `m${index}`);
  const added = names.map((id) => ({ id }));
  t.match((await one('POST', '/orgs/acme/users/import', added)).body, { added: 600 });
  const members = names.map((value) => ({ value }));
  const refused = await scim('POST', '/Groups', {
    displayName: 'All',
    members: [...members, { value: 'nobody' }],
  });
  t.same(refusal(refused), [400, 'invalidValue']);
  t.equal((await scim('GET', '/Groups/all')).status, 404, 'nothing is left of it');
  t.equal((await scim('POST', '/Groups', { displayName: 'All', members })).status, 201);
  t.equal((await one('GET', '/orgs/acme/groups/all')).body.members, 600);
  t.equal((await scim('GET', '/Groups/all')).body.members.length, 600);
  await patch('/Groups/all', { op: 'replace', path: 'members', value: members.slice(0, 100) });
  t.equal((await one('GET', '/orgs/acme/groups/all')).body.members, 100);
  await patch('/Groups/all', { op: 'remove', path: 'members' });
  t.equal((await one('GET', '/orgs/acme/groups/all')).body.members, 0);
});

t.test('externalId as the id of users: userName may change, the setting may not', async (t) => {
  const { ledger } = await startAcme(t, { seats: 10 });
  const start = async (scimUserId: 'userName' | 'externalId') => {
    const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN, scimUserId });
    checkResponses(t, app);
    t.teardown(() => app.close());
    return async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object) => {
      const headers = bearer(TOKEN);
      const answer = await app.inject({
        method,
        url: `/v1${SCIM}${path}`,
        headers,
        ...(payload && { payload }),
      });
      return {
        status: answer.statusCode,
        body: answer.body === '' ? undefined : answer.json(),
        headers: new Headers(),
      };
    };
  };
  const scim = await start('externalId');
  t.same(
    refusal(await scim('POST', '/Users', { userName: 'jo' })),
    [400, 'invalidValue'],
    'externalId is missing',
  );
  const created = await scim('POST', '/Users', { userName: 'jo', externalId: 'id 1/2' });
  t.match([created.status, created.body.id], [201, '~aWQgMS8y']);
  t.equal((await scim('GET', `/Users/${created.body.id}`)).status, 200);
  t.same(refusal(await scim('POST', '/Users', { userName: 'JO', externalId: 'b' })), [409, 'uniqueness']);
  t.equal(
    (await scim('PUT', '/Users/~aWQgMS8y', { userName: 'joe', externalId: 'id 1/2' })).body.userName,
    'joe',
  );
  t.same(refusal(await scim('PUT', '/Users/~aWQgMS8y', { userName: 'joe', externalId: 'c' })), [
    400,
    'mutability',
  ]);
  const bob = (await scim('GET', filter('/Users', 'externalId eq "bob"'))).body.Resources;
  t.match(bob, [{ id: 'bob', externalId: 'bob' }], 'registered by a request');
  const other = await start('userName');
  t.same(refusal(await other('POST', '/Users', { userName: 'al' })), [409, 'mutability']);
});

t.test('discovery names what is supported', async (t) => {
  const { send } = await startAcme(t);
  const { body } = await send('GET', `${SCIM}/ServiceProviderConfig`);
  t.match(body, { patch: { supported: true }, bulk: { supported: false }, etag: { supported: true } });
  const schemas = (await send('GET', `${SCIM}/Schemas`)).body;
  t.equal(schemas.totalResults, 2);
  for (const { id, meta } of schemas.Resources)
    t.equal((await send('GET', meta.location.slice(3))).body.id, id);
  for (const { id, endpoint } of (await send('GET', `${SCIM}/ResourceTypes`)).body.Resources) {
    t.equal((await send('GET', `${SCIM}${endpoint}`)).status, 200);
    t.equal((await send('GET', `${SCIM}/ResourceTypes/${id}`)).body.name, id);
  }
  t.equal((await send('GET', `${SCIM}/Schemas/urn:nothing`)).status, 404);
  t.equal((await send('GET', '/orgs/nowhere/scim/v2/Users')).status, 404);
});
