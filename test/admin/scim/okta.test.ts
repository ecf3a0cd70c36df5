// The requests that Okta sends, in its order: the connection test, a user's life, a pushed group's life.
import { filter, GROUP, USER, withDirectory } from './support.js';

const JO = {
  schemas: [USER],
  userName: 'jo.doe@example.com',
  name: { givenName: 'Jo', familyName: 'Doe' },
  emails: [{ primary: true, value: 'jo.doe@example.com', type: 'work' }],
  displayName: 'Jo Doe',
  locale: 'en-US',
  externalId: '00ujl29u0le5T6Aj10h7',
  groups: [],
  password: 'not-kept',
  active: true,
};

withDirectory(
  'Okta: a user is looked for, created, replaced, deactivated and activated',
  async (t, directory) => {
    const { scim, patch, one } = directory;
    t.match((await scim('GET', '/Users?startIndex=1&count=2')).body, {
      startIndex: 1,
      itemsPerPage: 2,
      totalResults: 2,
    });
    const none = await scim(
      'GET',
      `${filter('/Users', 'userName eq "jo.doe@example.com"')}&startIndex=1&count=100`,
    );
    t.match(none.body, { totalResults: 0, Resources: [] });
    t.equal(none.headers.get('content-type')?.split(';')[0], 'application/scim+json');

    const created = await scim('POST', '/Users', JO);
    t.equal(created.status, 201);
    t.match(created.body, {
      schemas: [USER],
      id: 'jo.doe@example.com',
      externalId: JO.externalId,
      userName: JO.userName,
      name: JO.name,
      displayName: 'Jo Doe',
      emails: JO.emails,
      active: true,
      meta: { resourceType: 'User', location: '/v1/orgs/acme/scim/v2/Users/jo.doe%40example.com' },
    });
    t.notOk('password' in created.body || 'locale' in created.body, 'what is not kept is not shown');
    t.equal(created.headers.get('location'), created.body.meta.location);
    t.equal(created.headers.get('etag'), created.body.meta.version);
    const { id } = created.body;
    t.same((await scim('GET', filter('/Users', 'userName eq "JO.doe@example.com"'))).body.Resources, [
      created.body,
    ]);
    t.match(
      (await one('GET', '/orgs/acme/users/jo.doe%40example.com')).body,
      { status: 'active', name: 'Jo Doe', email: 'jo.doe@example.com' },
      'the user is one of the admin API',
    );

    const replaced = { ...JO, id, name: { givenName: 'Jo', familyName: 'Roe' }, displayName: 'Jo Roe' };
    t.match((await scim('PUT', `/Users/${id}`, replaced)).body, {
      displayName: 'Jo Roe',
      name: { familyName: 'Roe' },
    });
    const off = await patch(`/Users/${id}`, { op: 'replace', value: { active: false } });
    t.match([off.status, off.body.active], [200, false]);
    t.match((await one('GET', `/orgs/acme/users/${id}`)).body, { status: 'inactive', name: 'Jo Roe' });
    t.equal((await scim('PUT', `/Users/${id}`, { ...replaced, active: true })).body.active, true);
    t.match((await one('GET', '/orgs/acme/audit')).body.items.slice(0, 3), [
      {
        action: 'user.change',
        subject: `user:${id}`,
        from: { status: 'inactive' },
        to: { status: 'active' },
      },
      { action: 'user.change' },
      { action: 'user.change', from: { name: 'Jo Doe' }, to: { name: 'Jo Roe' } },
    ]);
  },
);

withDirectory('Okta: a group is pushed, renamed, filled and deleted', async (t, { scim, patch, one }) => {
  for (const name of ['jo', 'max']) await scim('POST', '/Users', { ...JO, userName: name, externalId: name });
  t.match((await scim('GET', '/Groups?startIndex=1&count=100')).body, { totalResults: 2 });
  t.equal((await scim('GET', filter('/Groups', 'displayName eq "Test SCIMv2"'))).body.totalResults, 0);
  const created = await scim('POST', '/Groups', {
    schemas: [GROUP],
    displayName: 'Test SCIMv2',
    members: [],
  });
  t.match([created.status, created.body.id, created.body.displayName], [201, 'test-scimv2', 'Test SCIMv2']);
  const group = `/Groups/${created.body.id}`;
  const named = { op: 'replace', value: { id: created.body.id, displayName: 'Renamed' } };
  t.equal((await patch(group, named)).status, 204);
  t.match((await scim('GET', group)).body, { id: 'test-scimv2', displayName: 'Renamed', members: [] });

  await patch(
    group,
    { op: 'add', path: 'members', value: [{ value: 'jo', display: 'jo' }, { value: 'max' }] },
    { op: 'add', path: 'members', value: [{ value: 'ann', display: 'Ann Smith' }] },
  );
  const members = async () =>
    (await scim('GET', group)).body.members.map(({ value }: { value: string }) => value);
  t.same(await members(), ['ann', 'jo', 'max']);
  await patch(
    group,
    { op: 'remove', path: 'members[value eq "jo"]' },
    { op: 'add', path: 'members', value: [{ value: 'bob' }] },
  );
  t.same(await members(), ['ann', 'bob', 'max']);
  await patch(group, { op: 'replace', path: 'members', value: [{ value: 'jo' }, { value: 'ann' }] });
  t.same(await members(), ['ann', 'jo']);
  t.match((await one('GET', '/orgs/acme/users/jo')).body.groups, ['test-scimv2']);
  t.match((await scim('GET', '/Users/jo')).body.groups, [{ value: 'test-scimv2', display: 'Renamed' }]);
  const put = { schemas: [GROUP], id: 'test-scimv2', displayName: 'Again', members: [{ value: 'max' }] };
  t.match((await scim('PUT', group, put)).body, { displayName: 'Again', members: [{ value: 'max' }] });
  t.same(await members(), ['max']);
  const asOkta = { 'content-type': 'application/scim+json' };
  t.equal((await scim('DELETE', group, undefined, asOkta)).status, 204, 'a media type without a body');
  t.equal((await scim('GET', group)).status, 404);
  t.same((await scim('GET', '/Users/max')).body.groups, []);
});
