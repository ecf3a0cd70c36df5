/** Answers and bodies of SCIM. Resources are derived from the table of attributes. */
import Type, { type TProperties, type TSchema } from 'typebox';
import { named } from '../http/schema.js';
import { members } from '../http/validate.js';
import { ATTRIBUTES, type Attribute, type Kind, URN } from './attributes.js';

/** Attributes may be left out of an answer: by the request, or because they have no value. */
function resourceOf(kind: Kind, example: unknown): TSchema {
  const { schemas, id, ...others } = propertiesOf(ATTRIBUTES[kind]);
  const required = { schemas: Type.Array(Type.String()), id: Type.String() };
  return named(`Scim${kind}`, { ...required, ...others }, example);
}

function propertiesOf(attributes: readonly Attribute[]): TProperties {
  return Object.fromEntries(attributes.map((one) => [one.name, Type.Optional(schemaOf(one))]));
}

function schemaOf({ type, multiValued, description, subAttributes = [] }: Attribute): TSchema {
  const one =
    type === 'complex' ? partsOf(subAttributes) : type === 'boolean' ? Type.Boolean() : Type.String();
  return multiValued ? Type.Array(one, { description }) : { ...one, description };
}

/** A member that is named `$ref` reads as a reference to most tools: it is declared as a further one. */
function partsOf(attributes: readonly Attribute[]): TSchema {
  const { $ref, ...properties } = propertiesOf(attributes);
  return $ref === undefined
    ? members(properties)
    : Type.Object(properties, { additionalProperties: Type.String() });
}

export const ScimUser = resourceOf('User', {
  schemas: [URN.user],
  id: 'ann@example.com',
  userName: 'ann@example.com',
  displayName: 'Ann Smith',
  active: true,
  emails: [{ value: 'ann@example.com', type: 'work', primary: true }],
  groups: [{ value: 'analysts', display: 'Analysts' }],
  meta: {
    resourceType: 'User',
    created: '2026-05-22T10:00:00.000Z',
    location: '/v1/orgs/acme/scim/v2/Users/ann@example.com',
    version: 'W/"8Jm2oYt1vTQ3bq0eVw5xZA"',
  },
});

export const ScimGroup = resourceOf('Group', {
  schemas: [URN.group],
  id: 'analysts',
  displayName: 'Analysts',
  members: [{ value: 'ann@example.com', type: 'User' }],
  meta: {
    resourceType: 'Group',
    location: '/v1/orgs/acme/scim/v2/Groups/analysts',
    version: 'W/"8Jm2oYt1vTQ3bq0eVw5xZA"',
  },
});

export function scimListOf(resource: TSchema) {
  return members({
    schemas: Type.Array(Type.String()),
    totalResults: Type.Integer({ minimum: 0 }),
    startIndex: Type.Integer({ minimum: 1 }),
    itemsPerPage: Type.Integer({ minimum: 0 }),
    Resources: Type.Array(resource),
  });
}

/** Documents of the service itself, as the RFC describes them. */
export const Discovered: TSchema = Type.Object(
  { schemas: Type.Array(Type.String()) },
  { additionalProperties: true },
);

/** A body as directories send it: names without case, further attributes. The handlers check it. */
export const AnyResource = Type.Object({}, { additionalProperties: true });

export const Selection = {
  attributes: Type.Optional(
    Type.String({ description: 'Attributes that the answer has, separated by commas' }),
  ),
  excludedAttributes: Type.Optional(
    Type.String({ description: 'Attributes that the answer has not, separated by commas' }),
  ),
};

export const ListQuery = {
  ...Selection,
  filter: Type.Optional(Type.String({ description: 'Such as: userName eq "ann@example.com"' })),
  startIndex: Type.Optional(Type.Integer({ description: 'Number of the first result; from 1' })),
  count: Type.Optional(Type.Integer({ description: 'Results on the page, at most 500' })),
};

/** `sortBy` and `sortOrder` are not supported: as the RFC allows, they change nothing. */
export const SearchBody = Type.Object(
  {
    attributes: Type.Optional(Type.Array(Type.String())),
    excludedAttributes: Type.Optional(Type.Array(Type.String())),
    filter: Type.Optional(Type.String()),
    startIndex: Type.Optional(Type.Integer()),
    count: Type.Optional(Type.Integer()),
  },
  { additionalProperties: true },
);
