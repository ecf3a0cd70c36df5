// The requests that Entra ID sends, with its quirks: `op` capitalized, booleans as text, paths as names, its own URNs.
import { filter, GROUP, USER, withDirectory } from './support.js';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const MIA = {
  schemas: [USER, ENTERPRISE],
  externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
  userName: 'Mia@example.com',
  active: true,
  emails: [{ primary: true, type: 'work', value: 'mia@example.com' }],
  meta: { resourceType: 'User' },
  name: { formatted: 'Mia Moss', familyName: 'Moss', givenName: 'Mia' },
  roles: [],
  [ENTERPRISE]: { department: 'Sales' },
};

withDirectory(
  'Entra ID: a user is matched, created, patched and deleted',
  async (t, { scim, patch, one }) => {
    t.match((await scim('GET', filter('/Users', 'userName eq "non-existent user"'))).body, {
      totalResults: 0,
      Resources: [],
    });
    const created = await scim('POST', '/Users', MIA);
    t.match(
      [created.status, created.body.displayName, created.body.externalId],
      [201, 'Mia Moss', MIA.externalId],
    );
    const user = `/Users/${created.body.id}`;
    t.same((await scim('GET', filter('/Users', 'userName eq "mia@example.com"'))).body.Resources, [
      created.body,
    ]);
    t.same((await scim('GET', filter('/Users', `externalId eq "${MIA.externalId}"`))).body.Resources, [
      created.body,
    ]);
    t.equal(
      (await scim('GET', filter('/Users', `externalId eq "${MIA.externalId.toUpperCase()}"`))).body
        .totalResults,
      0,
    );

    const patched = await patch(
      user,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'moss@example.com' },
      { op: 'Replace', path: 'name.familyName', value: 'Moor' },
      { op: 'Add', path: 'displayName', value: 'Mia Moor' },
      { op: 'Add', path: `${ENTERPRISE}:department`, value: 'Support' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '1' },
      { op: 'Add', path: 'addresses[type eq "work"].streetAddress', value: 'Main Street' },
      { op: 'Replace', path: 'roles[primary eq "True"].value', value: 'admin' },
    );
    t.equal(patched.status, 200);
    t.match(patched.body, {
      displayName: 'Mia Moor',
      name: { familyName: 'Moor', givenName: 'Mia' },
      emails: [{ value: 'moss@example.com', type: 'work', primary: true }],
      roles: [{ value: 'admin' }],
    });
    t.notOk('phoneNumbers' in patched.body, 'what is not kept is not shown');

    for (const [active, status] of [
      ['False', 'inactive'],
      ['True', 'active'],
      ['false', 'inactive'],
    ] as const) {
      t.equal((await patch(user, { op: 'Replace', path: 'active', value: active })).status, 200, active);
      t.equal((await one('GET', '/orgs/acme/users/Mia%40example.com')).body.status, status, active);
    }
    const dotted = {
      'name.givenName': 'Maria',
      'emails[type eq "work"].value': 'maria@example.com',
      active: 'True',
      [`${ENTERPRISE}:manager`]: { value: '1' },
    };
    t.match((await patch(user, { op: 'replace', value: dotted })).body, {
      name: { givenName: 'Maria', familyName: 'Moor' },
      emails: [{ value: 'maria@example.com' }],
      active: true,
    });
    t.equal((await patch(user, { op: 'Remove', path: 'roles[primary eq "True"]' })).body.roles, undefined);
    t.equal((await scim('DELETE', user)).status, 204);
    t.equal((await scim('GET', user)).status, 404);
    t.equal((await scim('GET', filter('/Users', 'userName eq "mia@example.com"'))).body.totalResults, 0);
    t.equal((await one('GET', '/orgs/acme/users/Mia%40example.com')).body.status, 'removed');
  },
);

withDirectory(
  'Entra ID: a group without its members, by displayName and by member',
  async (t, { scim, patch }) => {
    await scim('POST', '/Users', MIA);
    const created = await scim('POST', '/Groups', {
      schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
      displayName: 'Maps & Tiles',
      meta: { resourceType: 'Group' },
    });
    t.match([created.status, created.body.id], [201, 'maps-tiles']);
    const group = `/Groups/${created.body.id}`;
    const found = await scim(
      'GET',
      `${filter('/Groups', 'displayName eq "maps & tiles"')}&excludedAttributes=members`,
    );
    t.match(found.body.Resources, [{ id: 'maps-tiles', externalId: created.body.externalId }]);
    t.notOk('members' in found.body.Resources[0]);
    const byExternal = filter('/Groups', `externalId eq "${created.body.externalId}"`);
    t.equal((await scim('GET', byExternal)).body.totalResults, 1);

    const mia = { $ref: null, value: 'Mia@example.com' };
    t.equal(
      (await patch(group, { op: 'Add', path: 'members', value: [mia, { $ref: null, value: 'ann' }] })).status,
      204,
    );
    const hasMia = filter('/Groups', 'id eq "maps-tiles" and members eq "Mia@example.com"');
    t.equal((await scim('GET', `${hasMia}&excludedAttributes=members`)).body.totalResults, 1);
    t.equal((await scim('GET', hasMia)).body.totalResults, 1);
    t.equal(
      (await scim('GET', filter('/Groups', 'members[value eq "Mia@example.com"]'))).body.totalResults,
      1,
    );
    t.equal((await patch(group, { op: 'Remove', path: 'members', value: [mia] })).status, 204);
    t.equal((await scim('GET', `${hasMia}&excludedAttributes=members`)).body.totalResults, 0);
    t.match((await scim('GET', group)).body.members, [{ value: 'ann', type: 'User' }]);
    t.notOk('members' in (await scim('GET', `${group}?excludedAttributes=members`)).body);
    await patch(group, { op: 'Replace', path: 'displayName', value: 'Tiles' });
    t.match((await scim('GET', group)).body, { id: 'maps-tiles', displayName: 'Tiles' });
  },
);
