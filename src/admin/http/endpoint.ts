/**
 * An endpoint of the admin API is one declaration. The route, its validation, its row in the role table and its entry
 * in the OpenAPI document are all derived from it.
 */
import type { FastifyRequest } from 'fastify';
import type { Static, TProperties, TSchema } from 'typebox';
import type { ErrorCode } from '../../errors/catalogue.js';
import type { FoundOrg } from '../../ledger/view/org-view.js';
import type { Reach, Role, Rule } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { members, path } from './validate.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

type Params<Path extends string> = { readonly [Name in ParamNames<Path>]: string };

/** Views are read-only, the types of schemas are not. */
type ReadonlyDeep<Value> = Value extends object
  ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> }
  : Value;

/** The schemas of an endpoint's successful responses, by status. */
type Answers = Readonly<Record<number, TSchema>>;

type AnswerOf<Declared extends Answers> = {
  [Status in Extract<keyof Declared, number>]: {
    readonly status: Status;
    readonly body: ReadonlyDeep<Static<Declared[Status]>>;
    readonly headers?: Readonly<Record<string, string>>;
  };
}[Extract<keyof Declared, number>];

/** The value of a query with these members. */
export type MembersOf<Properties extends TProperties> = Static<ReturnType<typeof members<Properties>>>;

type Request<Path extends string, Query extends TProperties, Body extends TSchema> = FastifyRequest & {
  readonly params: Params<Path>;
  readonly query: MembersOf<Query>;
  readonly body: Static<Body>;
};

interface Declaration<
  Path extends string,
  Query extends TProperties,
  Body extends TSchema,
  Declared extends Answers,
> {
  /** Unique: the name of the operation in generated clients. */
  readonly id: string;
  readonly method: Method;
  /** Below `/v1`. */
  readonly path: Path;
  readonly summary: string;
  readonly roles: readonly Role[];
  /** Left out: the org in the path. */
  readonly reach?: Reach;
  /** The members of the query. Left out: none is allowed. */
  readonly query?: Query;
  readonly body?: Body;
  /** What of the body is validated before `handle`, which validates the rest and reports each bad row. Left out: all of it. */
  readonly envelope?: TSchema;
  /** A body that is valid and works in the orgs of the documentation. */
  readonly example?: Static<Body>;
  readonly answers: Declared;
  /** Codes beyond those that follow from method, path and body (`errorsOf`). */
  readonly errors?: readonly ErrorCode[];
  /** Largest body; left out: as for all. */
  readonly bodyBytesMax?: number;
  /**
   * Of bodies and errors. Left out: JSON, and problem documents. `rows`: the body is a stream of JSON or CSV, which the handler reads
   * and validates.
   */
  readonly media?: 'scim' | 'rows';
  /** The handler compares `If-Match` with the resource. Left out: a write with `If-Match` is refused. */
  readonly ifMatch?: true;
  /** A read that starts together with the token lookup, so it costs no extra round trip. */
  readonly readFirst?: (admin: Admin, params: Params<Path>) => Promise<FoundOrg>;
  readonly handle: (admin: Admin, request: Request<Path, Query, Body>) => Promise<AnswerOf<Declared>>;
}

interface AnyAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A declaration without the types of its parts. */
export interface Endpoint {
  readonly id: string;
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly rule: Rule;
  readonly params: TSchema;
  readonly query: TSchema;
  readonly body: TSchema | undefined;
  readonly envelope: TSchema | undefined;
  readonly example: unknown;
  readonly answers: Answers;
  readonly errors: readonly ErrorCode[];
  readonly bodyBytesMax: number | undefined;
  readonly media: 'json' | 'scim' | 'rows';
  readonly ifMatch: boolean;
  readonly readFirst: ((admin: Admin, params: never) => Promise<FoundOrg>) | undefined;
  readonly handle: (admin: Admin, request: never) => Promise<AnyAnswer>;
}

export function endpoint<
  const Path extends `/${string}`,
  const Declared extends Answers,
  // biome-ignore lint/complexity/noBannedTypes: a query without members
  Query extends TProperties = {},
  Body extends TSchema = TSchema,
>(declared: Declaration<Path, Query, Body, Declared>): Endpoint {
  const { id, method, summary, roles, reach = 'path', body, example, answers, handle } = declared;
  return {
    id,
    method,
    path: declared.path,
    summary,
    rule: { roles, reach },
    params: path(...paramsOf(declared.path)),
    query: members(declared.query ?? {}),
    body,
    envelope: declared.envelope ?? body,
    example,
    answers,
    errors: declared.errors ?? [],
    bodyBytesMax: declared.bodyBytesMax,
    media: declared.media ?? 'json',
    ifMatch: declared.ifMatch === true,
    readFirst: declared.readFirst,
    handle: handle as Endpoint['handle'],
  };
}

export function paramsOf(pattern: string): string[] {
  return [...pattern.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
}

/** Responses. A body with an `etag` member gets the header from it. */
export function ok<Body>(body: Body) {
  return { status: 200, body } as const;
}

export function created<Body>(location: string, body: Body) {
  return { status: 201, body, headers: { location } } as const;
}

/** Created, with a secret that is shown only here. */
export function createdSecret<Body>(location: string, body: Body) {
  return { status: 201, body, headers: { location, 'cache-control': 'no-store' } } as const;
}

export function done() {
  return { status: 204, body: undefined } as const;
}

/** For writes with `dryRun`: what the change would do, or nothing once it is done. */
export function okOrDone<Preview>(preview: Preview | undefined) {
  return preview === undefined ? done() : ok(preview);
}
