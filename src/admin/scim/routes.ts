/**
 * SCIM 2.0 (RFC 7643, 7644): users and groups from a company's directory. Media type, errors and ids differ from those of
 * the rest of the admin API (scope.ts), rules and audit entries do not.
 */
import { DIRECTORIES, ROLES } from '../access/roles.js';
import { deleteGroup } from '../groups/routes.js';
import { done, type Endpoint, endpoint, ok } from '../http/endpoint.js';
import { NoBody } from '../http/schema.js';
import { writeContext } from '../writes/change.js';
import { type Kind, URN } from './attributes.js';
import { oneOf, providerConfig, resourceTypes, schemas, wholeList } from './discovery.js';
import { listGroups, readGroup } from './group-list.js';
import { createGroup, patchGroup, replaceGroup } from './groups.js';
import { operationsIn } from './operations.js';
import { projectionOf, type Resource, type Selection as Selected } from './projection.js';
import {
  AnyResource,
  Discovered,
  ListQuery,
  ScimGroup,
  ScimUser,
  SearchBody,
  Selection,
  scimListOf,
} from './schemas.js';
import { listUsers } from './user-list.js';
import { createUser, patchUser, readUser, removeUser, replaceUser } from './users.js';

const READ = { media: 'scim', roles: ROLES } as const;
/** A directory may send a group with all its members. */
const ADD = { media: 'scim', roles: DIRECTORIES, bodyBytesMax: 2 * 1_024 * 1_024 } as const;
const WRITE = { ...ADD, ifMatch: true } as const;

/** A resource with its ETag. */
function shown(kind: Kind, resource: Resource, selection: Selected) {
  const { version = '' } = metaOf(resource);
  return { ...ok(projectionOf(kind, selection).apply(resource)), headers: { etag: version } };
}

function added(kind: Kind, resource: Resource, selection: Selected) {
  const { version = '', location = '' } = metaOf(resource);
  const body = projectionOf(kind, selection).apply(resource);
  return { status: 201, body, headers: { etag: version, location } } as const;
}

function metaOf({ meta }: Resource): Readonly<Record<string, string>> {
  return (meta ?? {}) as Readonly<Record<string, string>>;
}

const config = endpoint({
  ...READ,
  id: 'getScimConfig',
  method: 'GET',
  path: '/orgs/:org/scim/v2/ServiceProviderConfig',
  summary: 'Show which parts of SCIM are supported',
  answers: { 200: Discovered },
  handle: async (_admin, { params }) => ok(providerConfig(params.org)),
});

const types = endpoint({
  ...READ,
  id: 'listScimResourceTypes',
  method: 'GET',
  path: '/orgs/:org/scim/v2/ResourceTypes',
  summary: 'List the types of SCIM resources',
  answers: { 200: scimListOf(Discovered) },
  handle: async (_admin, { params }) => ok(wholeList(resourceTypes(params.org))),
});

const type = endpoint({
  ...READ,
  id: 'getScimResourceType',
  method: 'GET',
  path: '/orgs/:org/scim/v2/ResourceTypes/:id',
  summary: 'Show a type of SCIM resources',
  answers: { 200: Discovered },
  handle: async (_admin, { params }) => ok(oneOf(resourceTypes(params.org), params.id)),
});

const allSchemas = endpoint({
  ...READ,
  id: 'listScimSchemas',
  method: 'GET',
  path: '/orgs/:org/scim/v2/Schemas',
  summary: 'List the attributes of SCIM resources',
  answers: { 200: scimListOf(Discovered) },
  handle: async (_admin, { params }) => ok(wholeList(schemas(params.org))),
});

const schema = endpoint({
  ...READ,
  id: 'getScimSchema',
  method: 'GET',
  path: '/orgs/:org/scim/v2/Schemas/:id',
  summary: 'Show the attributes of a SCIM resource',
  answers: { 200: Discovered },
  handle: async (_admin, { params }) => ok(oneOf(schemas(params.org), params.id)),
});

const users = endpoint({
  ...READ,
  id: 'listScimUsers',
  method: 'GET',
  path: '/orgs/:org/scim/v2/Users',
  summary: 'List the users of a directory',
  query: ListQuery,
  answers: { 200: scimListOf(ScimUser) },
  handle: async (admin, { params, query }) => ok(await listUsers(admin, params.org, query)),
});

const searchUsers = endpoint({
  ...READ,
  id: 'searchScimUsers',
  method: 'POST',
  path: '/orgs/:org/scim/v2/Users/.search',
  summary: 'List the users of a directory, with the query in the body',
  body: SearchBody,
  example: { filter: 'userName eq "ann"' },
  answers: { 200: scimListOf(ScimUser) },
  handle: async (admin, { params, body }) => ok(await listUsers(admin, params.org, body)),
});

const user = endpoint({
  ...READ,
  id: 'getScimUser',
  method: 'GET',
  path: '/orgs/:org/scim/v2/Users/:id',
  summary: 'Show a user of a directory',
  query: Selection,
  answers: { 200: ScimUser },
  handle: async (admin, { params, query }) =>
    shown('User', await readUser(admin, params.org, params.id), query),
});

const addUser = endpoint({
  ...ADD,
  id: 'addScimUser',
  method: 'POST',
  path: '/orgs/:org/scim/v2/Users',
  summary: 'Add a user, or return one who was removed',
  query: Selection,
  body: AnyResource,
  example: { schemas: [URN.user], userName: 'jo@example.com', displayName: 'Jo', active: true },
  answers: { 201: ScimUser },
  errors: ['already-exists', 'seats-taken'],
  handle: async (admin, request) => {
    const resource = await createUser(admin, writeContext(request, undefined), request.body);
    return added('User', resource, request.query);
  },
});

const putUser = endpoint({
  ...WRITE,
  id: 'replaceScimUser',
  method: 'PUT',
  path: '/orgs/:org/scim/v2/Users/:id',
  summary: 'Replace the attributes of a user',
  query: Selection,
  body: AnyResource,
  example: { schemas: [URN.user], userName: 'ann', displayName: 'Ann', active: true },
  answers: { 200: ScimUser },
  errors: ['already-exists', 'seats-taken'],
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const resource = await replaceUser(admin, writeContext(request, undefined), { id: params.id, body });
    return shown('User', resource, query);
  },
});

const changeUser = endpoint({
  ...WRITE,
  id: 'patchScimUser',
  method: 'PATCH',
  path: '/orgs/:org/scim/v2/Users/:id',
  summary: 'Change attributes of a user',
  query: Selection,
  body: AnyResource,
  example: { schemas: [URN.patch], Operations: [{ op: 'replace', value: { active: true } }] },
  answers: { 200: ScimUser },
  errors: ['already-exists', 'seats-taken'],
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const change = { id: params.id, operations: operationsIn(body) };
    return shown('User', await patchUser(admin, writeContext(request, undefined), change), query);
  },
});

const deleteUser = endpoint({
  ...WRITE,
  id: 'deleteScimUser',
  method: 'DELETE',
  path: '/orgs/:org/scim/v2/Users/:id',
  summary: 'Remove a user: limits and consumption stay',
  answers: { 204: NoBody },
  handle: async (admin, request) => {
    await removeUser(admin, writeContext(request, undefined), request.params.id);
    return done();
  },
});

const groups = endpoint({
  ...READ,
  id: 'listScimGroups',
  method: 'GET',
  path: '/orgs/:org/scim/v2/Groups',
  summary: 'List the groups of a directory',
  query: ListQuery,
  answers: { 200: scimListOf(ScimGroup) },
  handle: async (admin, { params, query }) => ok(await listGroups(admin, params.org, query)),
});

const searchGroups = endpoint({
  ...READ,
  id: 'searchScimGroups',
  method: 'POST',
  path: '/orgs/:org/scim/v2/Groups/.search',
  summary: 'List the groups of a directory, with the query in the body',
  body: SearchBody,
  example: { filter: 'displayName eq "Analysts"', excludedAttributes: ['members'] },
  answers: { 200: scimListOf(ScimGroup) },
  handle: async (admin, { params, body }) => ok(await listGroups(admin, params.org, body)),
});

const group = endpoint({
  ...READ,
  id: 'getScimGroup',
  method: 'GET',
  path: '/orgs/:org/scim/v2/Groups/:id',
  summary: 'Show a group of a directory',
  query: Selection,
  answers: { 200: ScimGroup },
  handle: async (admin, { params, query }) => {
    const projection = projectionOf('Group', query);
    return shown('Group', await readGroup(admin, params.org, { id: params.id, projection }), query);
  },
});

const addGroup = endpoint({
  ...ADD,
  id: 'addScimGroup',
  method: 'POST',
  path: '/orgs/:org/scim/v2/Groups',
  summary: 'Create a group: its id is made of its name',
  query: Selection,
  body: AnyResource,
  example: { schemas: [URN.group], displayName: 'Maps & Tiles', members: [{ value: 'ann' }] },
  answers: { 201: ScimGroup },
  handle: async (admin, request) => {
    const resource = await createGroup(admin, writeContext(request, undefined), request.body);
    return added('Group', resource, request.query);
  },
});

const putGroup = endpoint({
  ...WRITE,
  id: 'replaceScimGroup',
  method: 'PUT',
  path: '/orgs/:org/scim/v2/Groups/:id',
  summary: 'Replace name and members of a group',
  query: Selection,
  body: AnyResource,
  example: { schemas: [URN.group], displayName: 'Analysts', members: [{ value: 'ann' }] },
  answers: { 200: ScimGroup },
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const resource = await replaceGroup(admin, writeContext(request, undefined), { id: params.id, body });
    return shown('Group', resource, query);
  },
});

const changeGroup = endpoint({
  ...WRITE,
  id: 'patchScimGroup',
  method: 'PATCH',
  path: '/orgs/:org/scim/v2/Groups/:id',
  summary: 'Change the name of a group, add and remove members',
  query: Selection,
  body: AnyResource,
  example: {
    schemas: [URN.patch],
    Operations: [{ op: 'add', path: 'members', value: [{ value: 'ann' }] }],
  },
  answers: { 200: ScimGroup, 204: NoBody },
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const { id, org } = params;
    await patchGroup(admin, writeContext(request, undefined), { id, operations: operationsIn(body) });
    // A group may have a hundred thousand members: they are shown on request.
    if (query.attributes === undefined && query.excludedAttributes === undefined) return done();
    const projection = projectionOf('Group', query);
    return shown('Group', await readGroup(admin, org, { id, projection }), query);
  },
});

const removeGroup = endpoint({
  ...WRITE,
  id: 'deleteScimGroup',
  method: 'DELETE',
  path: '/orgs/:org/scim/v2/Groups/:id',
  summary: 'Delete a group and its limits',
  answers: { 204: NoBody },
  handle: async (admin, request) => {
    await deleteGroup(admin, writeContext(request, undefined), { id: request.params.id, dryRun: false });
    return done();
  },
});

export const SCIM_ENDPOINTS: readonly Endpoint[] = [
  ...[config, types, type, allSchemas, schema],
  ...[users, searchUsers, user, addUser, putUser, changeUser, deleteUser],
  ...[groups, searchGroups, group, addGroup, putGroup, changeGroup, removeGroup],
];
