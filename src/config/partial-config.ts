/** A config with invalid parts left out: the input of the cross-checks, so that one error does not hide another. */
import { formatUnits, parseUnits } from '../quota/units.js';
import { type Issue, issue, type Path, suggestion } from './issues.js';
import type { Config } from './schema.js';

/** Invalid values are undefined. */
export type DeepPartial<T> = T extends readonly (infer Item)[]
  ? (DeepPartial<Item> | undefined)[]
  : T extends object
    ? { [Key in keyof T]?: DeepPartial<T[Key]> | undefined }
    : T;

export type PartialConfig = DeepPartial<Config>;

/** The valid entries of a map. */
export function entries<T>(map: Readonly<Record<string, T | undefined>> | undefined): [string, T][] {
  return Object.entries(map ?? {}).filter((entry): entry is [string, T] => entry[1] !== undefined);
}

/** The valid items of a list, with their indexes. */
export function items<T>(list: readonly (T | undefined)[] | undefined): [number, T][] {
  return [...(list ?? []).entries()].filter((entry): entry is [number, T] => entry[1] !== undefined);
}

/** Whether a name is missing from a map. An invalid entry counts as present: it has its own error. */
export function lacks(map: object | undefined, name: string | undefined): name is string {
  return map !== undefined && name !== undefined && !Object.hasOwn(map, name);
}

export interface NameReference {
  /** What the name stands for, such as `quota`. */
  readonly kind: string;
  readonly name: string;
  /** The map that the name should be in. */
  readonly map: object | undefined;
}

/** A reference to a name that does not exist. */
export function unknownName(path: Path, { kind, name, map }: NameReference): Issue {
  const names = Object.keys(map ?? {});
  const others = names.length > 12 ? `${names.slice(0, 12).join(', ')} …` : names.join(', ');
  const hint = suggestion(name, names, names.length === 0 ? `add the ${kind}` : `write one of ${others}`);
  return issue(path, `${kind} \`${name}\` not found`, hint);
}

export interface AmountSpot {
  readonly quota: string | undefined;
  readonly amount: string | number | undefined;
  readonly path: Path;
}

/** An amount that its quota cannot hold. */
export function* checkAmount(config: PartialConfig, { quota, amount, path }: AmountSpot): Generator<Issue> {
  const decimals = decimalsOf(config, quota);
  if (amount === undefined || decimals === undefined || parseUnits(amount, decimals) !== undefined) return;
  if (parseUnits(amount, decimals, true) === undefined) {
    yield issue(path, `${amount} is too large for \`${quota}\``, 'write a smaller amount');
    return;
  }
  const message = `${amount} has more decimals than \`${quota}\`, which has ${decimals}`;
  const step = formatUnits(1, decimals);
  yield issue(path, message, `write a multiple of ${step}, or raise the decimals of \`${quota}\``);
}

function decimalsOf({ quotas }: PartialConfig, quota: string | undefined): number | undefined {
  if (quotas === undefined || quota === undefined || !Object.hasOwn(quotas, quota)) return undefined;
  return quotas[quota]?.decimals;
}

/** An amount as its internal integer; undefined if the amount or its quota is invalid. */
export function unitsOf(
  config: PartialConfig,
  quota: string | undefined,
  amount: string | number | undefined,
): number | undefined {
  const decimals = decimalsOf(config, quota);
  return amount === undefined || decimals === undefined ? undefined : parseUnits(amount, decimals);
}
