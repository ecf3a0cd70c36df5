/** What this service supports: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7643, sections 5 to 7). */
import { notFound } from '../http/problems.js';
import { type Attribute, GROUP_ATTRIBUTES, URN, USER_ATTRIBUTES } from './attributes.js';
import { COUNT_MAX, type ListAnswer } from './list.js';
import type { Resource } from './projection.js';
import { pathOf } from './user-resource.js';

export function providerConfig(org: string): Resource {
  return {
    schemas: [URN.providerConfig],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: COUNT_MAX },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: 'An admin token with the role scim.',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${pathOf(org)}/ServiceProviderConfig` },
  };
}

const KINDS = [
  { id: 'User', endpoint: '/Users', schema: URN.user, attributes: USER_ATTRIBUTES },
  { id: 'Group', endpoint: '/Groups', schema: URN.group, attributes: GROUP_ATTRIBUTES },
] as const;

export function resourceTypes(org: string): Resource[] {
  return KINDS.map(({ id, endpoint, schema }) => ({
    schemas: [URN.resourceType],
    id,
    name: id,
    endpoint,
    schema,
    meta: { resourceType: 'ResourceType', location: `${pathOf(org)}/ResourceTypes/${id}` },
  }));
}

export function schemas(org: string): Resource[] {
  return KINDS.map(({ id, schema, attributes }) => ({
    schemas: [URN.schema],
    id: schema,
    name: id,
    description: `The attributes of a ${id.toLowerCase()}.`,
    attributes: attributes.map(shown),
    meta: { resourceType: 'Schema', location: `${pathOf(org)}/Schemas/${schema}` },
  }));
}

function shown({ subAttributes, ...attribute }: Attribute): Resource {
  return subAttributes === undefined ? attribute : { ...attribute, subAttributes: subAttributes.map(shown) };
}

/** All of them, on one page. */
export function wholeList(resources: readonly Resource[]): ListAnswer {
  const count = resources.length;
  return {
    schemas: [URN.list],
    totalResults: count,
    startIndex: 1,
    itemsPerPage: count,
    Resources: resources,
  };
}

export function oneOf(resources: readonly Resource[], id: string): Resource {
  const found = resources.find((one) => one.id === id);
  if (found === undefined) throw notFound(id);
  return found;
}
