/**
 * The OpenAPI 3.1 document of the admin API, made from the declarations of the endpoints: the schemas in it are those
 * that validate requests, and those that tests compare responses with.
 */
import type { TSchema } from 'typebox';
import { CATALOGUE, type ErrorCode, ProblemError, problemBody } from '../../errors/catalogue.js';
import { MEDIA_TYPE } from '../scim/errors.js';
import { type Endpoint, paramsOf } from './endpoint.js';
import { errorsOf, statusOf } from './errors-of.js';

type Json = Readonly<Record<string, unknown>>;

export type OpenApi = ReturnType<typeof openApiOf>;

/** The path parameters: what they are, and an example. */
const PARAMETERS: Readonly<Record<string, readonly [description: string, example: string]>> = {
  org: ['Id of the org', 'acme'],
  quota: ['Name of a quota of the config', 'usage'],
  user: ['Id of the user', 'ann'],
  group: ['Id of the group', 'analysts'],
  limit: ['Id of the limit: quota, u or g, and the user or group', 'usage:u:ann'],
  hold: ['Id of the hold', '7f3e2b1c-chat-1'],
  key: ['Id of the API key', 'Fz8Kq2LmNp4RsT6v'],
  token: ['Id of the admin token', 'Fz8Kq2LmNp4RsT6v'],
  id: ['Id of the SCIM resource', 'ann'],
  webhook: ['Id of the webhook', 'Fz8Kq2LmNp4RsT6v'],
  delivery: ['Id of the failed delivery', '8b7c1a52-4f0e-4f7e-9d38-6f2f1f3f7a10'],
};

export function openApiOf(endpoints: readonly Endpoint[]) {
  const schemas = new Map<string, unknown>([
    ['Problem', PROBLEM],
    ['ScimError', SCIM_ERROR],
  ]);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const path = `/v1${endpoint.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, schemas) };
  }
  const codes = [...new Set(endpoints.flatMap(errorsOf))].sort();
  return {
    openapi: '3.1.0',
    info: {
      title: 'quotagate admin API',
      version: '1',
      description: 'Orgs, plans, users, groups and limits, what is consumed of them, and who changed what.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    tags: [...new Set(endpoints.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'An admin token (qga_…), or one of the identity provider',
        },
      },
      parameters: HEADERS,
      responses: problemResponses(endpoints),
      examples: Object.fromEntries(codes.map((code) => [code, exampleOf(code)])),
      schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457. Further members depend on the code.',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened to this request' },
    code: { type: 'string', description: 'A code of the catalogue of errors' },
    instance: { type: 'string', description: 'The id of the request, for the operator' },
    errors: {
      type: 'array',
      description: 'The fields that are not valid',
      items: {
        type: 'object',
        required: ['field', 'problem'],
        properties: {
          field: { type: 'string' },
          problem: { type: 'string' },
          row: { type: 'integer', description: 'Of a bulk write of limits: the index of the row' },
          value: { description: 'Of a bulk write of limits: what the row states' },
          remedy: { type: 'string', description: 'Of a bulk write of limits: what to do' },
        },
      },
    },
  },
};

const SCIM_ERROR = {
  type: 'object',
  description: 'RFC 7644, section 3.12',
  required: ['schemas', 'status', 'detail'],
  properties: {
    schemas: { type: 'array', items: { type: 'string' } },
    status: { type: 'string' },
    scimType: { type: 'string' },
    detail: { type: 'string', description: 'What happened to this request' },
    code: { type: 'string', description: 'A code of the catalogue of errors' },
  },
};

const HEADERS = {
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'The ETag that the resource must still have; else 412',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'Makes the request safe to repeat for 24 hours',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  },
};

function exampleOf(code: ErrorCode) {
  const { title, cause } = CATALOGUE[code];
  const instance = 'urn:uuid:7f3e2b1c-0d4a-4f7e-9a39-3b1f1c0c8c55';
  return { summary: title, value: { ...problemBody(new ProblemError(code, cause)), instance } };
}

/** The noun: of an org, or else of the API. */
function tagOf({ path }: Endpoint): string {
  const [, first = '', , noun] = path.split('/');
  return first === 'orgs' ? (noun ?? first) : first;
}

function operationOf(endpoint: Endpoint, schemas: Map<string, unknown>) {
  const { id, summary, body, example, rule } = endpoint;
  const content =
    body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              [mediaTypeOf(endpoint)]: { schema: refer(body, schemas), example },
              ...csvOf(endpoint),
            },
          },
        };
  return {
    operationId: id,
    summary,
    ...(rule.reach === 'none'
      ? { description: 'Needs no token.', security: [] }
      : { description: `Roles: ${rule.roles.join(', ')}.` }),
    tags: [tagOf(endpoint)],
    parameters: parametersOf(endpoint, schemas),
    ...content,
    responses: { ...answersOf(endpoint, schemas), ...problemsOf(endpoint) },
  };
}

function parametersOf({ path, query, method, rule }: Endpoint, schemas: Map<string, unknown>): Json[] {
  const inPath = paramsOf(path).map((name) => {
    const [description, example] = PARAMETERS[name] ?? [];
    if (description === undefined) throw new Error(`the path parameter :${name} has no row in PARAMETERS`);
    return { name, in: 'path', required: true, description, example, schema: { type: 'string' } };
  });
  const { properties = {} } = query as { readonly properties?: Readonly<Record<string, TSchema>> };
  const inQuery = Object.entries(properties).map(([name, schema]) => {
    return { name, in: 'query', schema: refer(schema, schemas) };
  });
  const header = (name: keyof typeof HEADERS) => ({ $ref: `#/components/parameters/${name}` });
  return [
    ...inPath,
    ...inQuery,
    ...(method === 'GET' ? [] : [header('IfMatch')]),
    ...(method === 'POST' && rule.reach !== 'none' ? [header('IdempotencyKey')] : []),
  ];
}

function answersOf(endpoint: Endpoint, schemas: Map<string, unknown>): Json {
  const entries = Object.entries(endpoint.answers).map(([status, schema]) => {
    if (status === '204') return [status, { description: 'Done' }];
    if (status === '304') return [status, { description: 'It is as If-None-Match names it' }];
    const headers = {
      ...('etag' in ((schema as { properties?: object }).properties ?? {}) ? header('ETag') : {}),
      ...(status === '201' ? header('Location') : {}),
    };
    const description = status === '201' ? 'Created' : 'The answer';
    const content = { [answerTypeOf(endpoint)]: { schema: refer(schema, schemas) } };
    return [status, { description, ...(Object.keys(headers).length > 0 ? { headers } : {}), content }];
  });
  return Object.fromEntries(entries);
}

function header(name: string): Json {
  return { [name]: { schema: { type: 'string' } } };
}

/** The codes of each status that an endpoint answers. */
function problemCodes(endpoint: Endpoint): Map<number, ErrorCode[]> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(endpoint)) {
    const status = statusOf(endpoint, code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

/** Endpoints that answer a status with the same codes share the response. */
function nameOf({ media }: Endpoint, codes: readonly ErrorCode[]): string {
  return [...(media === 'scim' ? [media] : []), ...codes].join('.');
}

function problemsOf(endpoint: Endpoint): Json {
  const entries = [...problemCodes(endpoint)].map(([status, codes]) => {
    return [status, { $ref: `#/components/responses/${nameOf(endpoint, codes)}` }];
  });
  return Object.fromEntries(entries);
}

function problemResponses(endpoints: readonly Endpoint[]): Json {
  const entries = endpoints.flatMap((endpoint) =>
    [...problemCodes(endpoint).values()].map((codes) => [
      nameOf(endpoint, codes),
      problemOf(endpoint, codes),
    ]),
  );
  return Object.fromEntries(entries);
}

const CSV = {
  'text/csv': {
    schema: {
      type: 'string',
      description:
        'A header line, then a user in each line; an empty cell says nothing; groups are separated by semicolons',
    },
    example: 'id,name,email,groups\neve,Eve Jones,eve@example.com,\n',
  },
};

function csvOf({ media }: Endpoint): Json {
  return media === 'rows' ? CSV : {};
}

/** A list that is also there as a table has the same path with `.csv`. */
function answerTypeOf(endpoint: Endpoint): string {
  return endpoint.path.endsWith('.csv') ? 'text/csv' : mediaTypeOf(endpoint);
}

function mediaTypeOf({ media }: Endpoint): string {
  return media === 'scim' ? MEDIA_TYPE : 'application/json';
}

function problemOf({ media }: Endpoint, codes: readonly ErrorCode[]): Json {
  const description = codes.map((code) => CATALOGUE[code].title).join('; ');
  if (media === 'scim')
    return {
      description,
      content: { [MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/ScimError' } } },
    };
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }],
  };
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description,
    content: { 'application/problem+json': { schema, examples } },
  };
}

/** A schema as JSON, in which schemas with a name refer to the one place where they stand. */
function refer(schema: unknown, schemas: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((one) => refer(one, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    key === 'examples' ? value : refer(value, schemas),
  ]);
  const copy = Object.fromEntries(entries) as { readonly title?: unknown };
  if (typeof copy.title !== 'string') return copy;
  const known = schemas.get(copy.title);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(copy))
    throw new Error(`two schemas are named ${copy.title}`);
  schemas.set(copy.title, copy);
  return { $ref: `#/components/schemas/${copy.title}` };
}
