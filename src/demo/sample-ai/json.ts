/** Reads JSON from any client: a value of another type counts as absent. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A whole number ≥ 0. */
export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** A value that fits a JSON schema, the same each time; strings are of one word. */
export function sampleOf(schema: unknown): unknown {
  const { type, properties, items, enum: allowed, anyOf, const: only } = objectOf(schema);
  if (only !== undefined) return only;
  if (Array.isArray(allowed)) return allowed[0];
  if (Array.isArray(anyOf)) return sampleOf(anyOf[0]);
  const kind = String(Array.isArray(type) ? type[0] : type).toLowerCase();
  if (kind === 'object' || properties !== undefined)
    return Object.fromEntries(
      Object.entries(objectOf(properties)).map(([key, value]) => [key, sampleOf(value)]),
    );
  if (kind === 'array') return [sampleOf(items)];
  if (kind === 'integer' || kind === 'number') return 7;
  if (kind === 'boolean') return true;
  return kind === 'null' ? null : 'Madrid';
}
