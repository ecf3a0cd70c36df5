/**
 * The attributes of users and groups: one table for the Schemas endpoint, for filters, PATCH paths and the selection of
 * attributes in answers.
 */

export const URN = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  providerConfig: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  search: 'urn:ietf:params:scim:api:messages:2.0:SearchRequest',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
} as const;

export interface Attribute {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'reference' | 'complex' | 'dateTime';
  readonly description: string;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readWrite' | 'readOnly' | 'immutable';
  readonly returned: 'default' | 'always';
  readonly uniqueness: 'none' | 'server';
  readonly subAttributes?: readonly Attribute[];
}

const STANDARD = {
  type: 'string',
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
} as const;

function attribute(name: string, description: string, differs: Partial<Attribute> = {}): Attribute {
  return { ...STANDARD, name, description, ...differs };
}

const VALUE_OF_EMAIL = [
  attribute('value', 'The address.'),
  attribute('type', 'Such as work or home.'),
  attribute('primary', 'Whether it is the address that notices go to.', { type: 'boolean' }),
];

const READ_ONLY = { mutability: 'readOnly' } as const;

/** On every resource; the Schemas endpoint does not list them. */
const COMMON: readonly Attribute[] = [
  attribute('schemas', 'URNs of the resource.', { multiValued: true, caseExact: true, returned: 'always' }),
  attribute('id', 'Id of the resource.', { ...READ_ONLY, caseExact: true, returned: 'always' }),
  attribute('externalId', 'Id of the resource in the directory.', { caseExact: true }),
  attribute('meta', 'About the resource.', {
    ...READ_ONLY,
    type: 'complex',
    subAttributes: [
      attribute('resourceType', 'User or Group.', { ...READ_ONLY, caseExact: true }),
      attribute('created', 'When it was added.', { ...READ_ONLY, type: 'dateTime' }),
      attribute('location', 'Its URL.', { ...READ_ONLY, type: 'reference', caseExact: true }),
      attribute('version', 'Its ETag.', { ...READ_ONLY, caseExact: true }),
    ],
  }),
];

export const USER_ATTRIBUTES: readonly Attribute[] = [
  attribute('userName', 'Name of the user, unique without regard to case.', {
    required: true,
    uniqueness: 'server',
  }),
  attribute('name', 'The parts of the name.', {
    type: 'complex',
    subAttributes: [
      attribute('formatted', 'The whole name.'),
      attribute('familyName', 'Family name.'),
      attribute('givenName', 'Given name.'),
    ],
  }),
  attribute('displayName', 'The name that lists and notices show.'),
  attribute('active', 'Whether the user may send requests; an active user takes a seat.', {
    type: 'boolean',
  }),
  attribute('emails', 'One address is kept: the primary one, else the first.', {
    type: 'complex',
    multiValued: true,
    subAttributes: VALUE_OF_EMAIL,
  }),
  attribute('roles', 'One role is kept: the primary one, else the first.', {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('value', 'The role.'),
      attribute('primary', 'Whether it is the role that is kept.', { type: 'boolean' }),
    ],
  }),
  attribute('groups', 'The groups that the user is in.', {
    ...READ_ONLY,
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('value', 'Id of the group.', { ...READ_ONLY, caseExact: true }),
      attribute('display', 'Name of the group.', READ_ONLY),
      attribute('$ref', 'URL of the group.', { ...READ_ONLY, type: 'reference', caseExact: true }),
    ],
  }),
];

export const GROUP_ATTRIBUTES: readonly Attribute[] = [
  attribute('displayName', 'Name of the group. Its first one determines the id.', { required: true }),
  attribute('members', 'The users in the group.', {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('value', 'Id of the user.', { mutability: 'immutable', caseExact: true }),
      attribute('$ref', 'URL of the user.', { mutability: 'immutable', type: 'reference', caseExact: true }),
      attribute('type', 'User.', { mutability: 'immutable' }),
    ],
  }),
];

export type Kind = 'User' | 'Group';

export const ATTRIBUTES: Readonly<Record<Kind, readonly Attribute[]>> = {
  User: [...COMMON, ...USER_ATTRIBUTES],
  Group: [...COMMON, ...GROUP_ATTRIBUTES],
};

/** Names of attributes are not case-sensitive. */
export function attributeIn(attributes: readonly Attribute[], name: string): Attribute | undefined {
  const sought = name.toLowerCase();
  return attributes.find((one) => one.name.toLowerCase() === sought);
}

/** Without the URN of the resource that a path may begin with. */
export function withoutUrn(kind: Kind, path: string): string {
  const urn = `${kind === 'User' ? URN.user : URN.group}:`;
  return path.toLowerCase().startsWith(urn.toLowerCase()) ? path.slice(urn.length) : path;
}
