/** Schemas that responses are built from. Undeclared members are an error: tests compare every response with its schema. */
import Type, { type TProperties, type TSchema } from 'typebox';
import { members } from './validate.js';

/**
 * An object that has a name of its own in the OpenAPI document and in generated clients. `example`: all of its members,
 * as they appear in the documentation.
 */
export function named<Properties extends TProperties>(
  title: string,
  properties: Properties,
  example: unknown,
) {
  return Type.Object(properties, { title, additionalProperties: false, examples: [example] });
}

/** One page of a list. `more`: members beside the items. */
export function listOf<Item extends TSchema, More extends TProperties>(item: Item, more: More) {
  return members({
    items: Type.Array(item),
    cursor: Cursor,
    ...more,
  });
}

export const NoBody = Type.Undefined();

/** An object by a name that is not known beforehand, such as a quota. */
export function byName<Value extends TSchema>(value: Value) {
  return Type.Record(Type.String(), value);
}

export function orNull<Value extends TSchema>(value: Value) {
  return Type.Union([value, Type.Null()]);
}

export const Amount = Type.Number({ description: 'In the unit of the quota' });
export const Percent = Type.Number({ description: 'In percent' });
export const Instant = Type.String({ format: 'date-time', description: 'An instant in UTC' });
export const ETag = Type.String({ description: 'For If-Match; also in the ETag header' });
const Cursor = orNull(Type.String({ description: 'For the next page; null on the last one' }));

/** The member of lists that are read from a snapshot. */
export const Snapshot = {
  snapshotAgeMs: Type.Integer({ minimum: 0, description: 'Age of the figures, in ms' }),
};

/** Who a write would block. */
export const UsersBlocked = members({
  count: Type.Integer(),
  users: Type.Array(Type.String(), { description: 'Ids of the first 100' }),
});
