/** Compiles the charges of a route at boot and prices each request before it is forwarded. */
import { ProblemError } from '../errors/catalogue.js';
import {
  CHARGES_MAX,
  type ChargeItem,
  type Charges,
  charges,
  fitsUnits,
  UNITS_MAX,
} from '../quota/charge.js';
import { isName } from '../quota/id.js';
import { configUnits, decimalsOf, parseUnits, type QuotaDecimals } from '../quota/units.js';
import { unitsOfNumber } from './amount.js';
import { type AnswerMeter, type AnswerSpec, compileAnswer } from './answer.js';
import { CombinedReader } from './combined-reader.js';
import { readableCodings } from './content-coding.js';
import { costHeader } from './cost-header.js';
import type { JsonQuery } from './json-paths.js';
import { jsonReader } from './json-reader.js';
import { compileLlm, type LlmMeter, type LlmPriced, type LlmSpec, type Models } from './llm/index.js';
import type { Priced } from './priced.js';

/** One charge of a route: a quota, and where its cost comes from. */
export type MeterSpec = RequestSpec | AnswerSpec | LlmSpec;

type RequestSpec =
  | { readonly quota: string; readonly gate: true }
  | { readonly quota: string; readonly units: number | string }
  | { readonly quota: string; readonly header: string }
  | { readonly quota: string; readonly json: string; readonly default?: number | string | undefined }
  | { readonly quota: string; readonly jsonLength: string };

export interface MeteredRoute {
  readonly action: string;
  readonly charges: readonly MeterSpec[];
  /** The maximum that `readBody` reads if a charge needs the body. */
  readonly bodyLimitBytes: number;
}

export interface RouteMeter {
  /** The cost of every request, if it is known at boot. */
  readonly fixed: Priced | undefined;
  readonly needsBody: boolean;
  /** The body may be a multipart form instead of JSON. */
  readonly takesForms: boolean;
  readonly bodyLimitBytes: number;
  /** Prices one request. Throws ProblemError: a request without a usable cost is refused, never priced at 0. */
  measure(request: MeteredRequest): Priced | Promise<Priced>;
  close(): Promise<void>;
}

export interface MeteredRequest {
  /** Canonical, without the query. */
  readonly path: string;
  /** Starts with `?`, or is ''. */
  readonly query: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer | undefined;
}

/** Results of the JSON reader, one per query. */
type QueryResults = readonly (string | number | undefined)[];

/** Prices one charge of a request. */
type Pricer = (rawHeaders: readonly string[], results: QueryResults) => ChargeItem;

const NO_RESULTS: QueryResults = [];
const NO_BODY = Buffer.alloc(0);

/** Throws an Error if no request could be priced by this route. */
export function compileMeter(route: MeteredRoute, quotas: QuotaDecimals, models: Models = []): RouteMeter {
  const { action } = route;
  if (!isName(action)) throw new Error(`action ${action} is not a valid id`);
  if (route.charges.length > CHARGES_MAX) throw new Error(`${action} has more than ${CHARGES_MAX} charges`);
  const queries: JsonQuery[] = [];
  for (const { quota } of route.charges) decimalsOf(quotas, quota);
  refuseShared(route);
  const answer = compileAnswer(route.charges.filter(isAnswerSpec), quotas);
  const llmSpecs = route.charges.filter(isLlmSpec);
  const llm = llmSpecs.length === 0 ? undefined : compileLlm(llmSpecs, quotas, models);
  const before = route.charges.filter(isRequestSpec).filter((spec) => !isImplied(spec, route.charges));
  const priced = before.map((spec) => compileSpec(spec, quotas, queries));
  return meterOf(route, [...priced, ...(answer?.items ?? [])], queries, { answer, llm });
}

/** Meters for costs that are known only from the answer. Their estimates are among the charges, as held items. */
interface AnswerMeters {
  readonly answer: AnswerMeter | undefined;
  readonly llm: LlmMeter | undefined;
}

function meterOf(
  { action, bodyLimitBytes }: MeteredRoute,
  pricers: readonly (ChargeItem | Pricer)[],
  queries: JsonQuery[],
  { answer, llm }: AnswerMeters,
): RouteMeter {
  const read = queries.length === 0 ? undefined : jsonReader(queries);
  const fixed = fixedCharges(action, pricers);
  const itemsOf = (request: MeteredRequest): readonly ChargeItem[] => {
    const results = read === undefined ? NO_RESULTS : read(request.body ?? NO_BODY);
    return pricers.map((one) => (typeof one === 'function' ? one(request.rawHeaders, results) : one));
  };
  const chargesOf = (request: MeteredRequest): Charges => {
    const cost = charges(action, itemsOf(request));
    if (!fitsUnits(cost)) throw invalid(`The cost of the request is above the maximum.`);
    return cost;
  };
  const always =
    answer === undefined && llm === undefined && fixed !== undefined ? { charges: fixed } : undefined;
  return {
    fixed: always,
    needsBody: read !== undefined || llm !== undefined,
    takesForms: read === undefined && llm?.takesForms === true,
    bodyLimitBytes,
    measure(request) {
      if (llm !== undefined || answer?.readsBody === true) refuseRange(request.rawHeaders);
      if (llm !== undefined) {
        const { path, query, rawHeaders, body = NO_BODY } = request;
        const priced = llm.price(path, query, rawHeaders, body, itemsOf(request), action);
        if (answer === undefined) return priced;
        if (!(priced instanceof Promise)) return withAnswer(priced, answer);
        return priced.then((one) => withAnswer(one, answer));
      }
      if (always !== undefined) return always;
      const cost = fixed ?? chargesOf(request);
      if (answer === undefined) return { charges: cost };
      const coding = answer.readsBody ? readableCodings(request.rawHeaders) : undefined;
      const setFields = coding === undefined ? undefined : ['accept-encoding', coding];
      return { charges: cost, reader: answer.open(), floors: answer.floors, setFields };
    },
    close: async () => llm?.close(),
  };
}

/** A range request returns part of an answer, which does not show the full cost. */
function refuseRange(rawHeaders: readonly string[]): void {
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === 'range')
      throw invalid('A range request hides the cost of the answer: remove the header Range.');
}

/** Returns the charges if they are the same for every request. */
function fixedCharges(action: string, pricers: readonly (ChargeItem | Pricer)[]): Charges | undefined {
  const items = pricers.filter((one) => typeof one !== 'function');
  if (items.length < pricers.length) return undefined;
  const fixed = charges(action, items);
  if (!fitsUnits(fixed)) throw new Error(`${action} costs more than ${UNITS_MAX} units`);
  return fixed;
}

function isAnswerSpec(spec: MeterSpec): spec is AnswerSpec {
  return 'hold' in spec;
}

function isLlmSpec(spec: MeterSpec): spec is LlmSpec {
  return 'llm' in spec;
}

function isRequestSpec(spec: MeterSpec): spec is RequestSpec {
  return !isAnswerSpec(spec) && !isLlmSpec(spec);
}

/**
 * A gate on a quota that also has a cost from the answer is redundant. It must not shift the position of that charge.
 */
function isImplied(spec: RequestSpec, specs: readonly MeterSpec[]): boolean {
  return 'gate' in spec && specs.some((other) => other.quota === spec.quota && !isRequestSpec(other));
}

/** Adds the answer's other costs to a priced request. Their charges come before the token charges. */
function withAnswer(priced: LlmPriced, answer: AnswerMeter): Priced {
  const { reader, clamp } = priced;
  // A call that runs no model still has its other costs.
  if (reader === undefined) return { ...priced, reader: answer.open(), floors: answer.floors };
  return {
    ...priced,
    reader: new CombinedReader(answer.open(), reader, answer.items.length),
    floors: answer.floors,
    clamp: clamp && ((granted) => withAnswer(clamp(granted), answer)),
  };
}

/** A cost that is settled later must be the only charge of its quota: parts of a sum cannot be settled separately. */
function refuseShared({ action, charges: specs }: MeteredRoute): void {
  for (const spec of specs) {
    const others = specs.filter((other) => other.quota === spec.quota && !('gate' in other));
    if (!isRequestSpec(spec) && others.length > 1)
      throw new Error(
        `${action}: the cost of ${spec.quota} is known only from the answer, so ${spec.quota} can have no other charge`,
      );
  }
}

function compileSpec(spec: RequestSpec, quotas: QuotaDecimals, queries: JsonQuery[]): ChargeItem | Pricer {
  const { quota } = spec;
  if ('gate' in spec) return { quota, units: 0, kind: 'gate' };
  if ('units' in spec) return { quota, units: configUnits(spec.units, quotas, quota), kind: 'fixed' };
  if ('json' in spec) return numberPricer(spec, quotas, queries);
  const decimals = decimalsOf(quotas, quota);
  if ('header' in spec) return headerPricer(quota, spec.header.toLowerCase(), decimals);
  return lengthPricer({ quota, pointer: spec.jsonLength, decimals }, queries);
}

function headerPricer(quota: string, name: string, decimals: number): Pricer {
  return (rawHeaders) => {
    const units = parseUnits(costHeader(rawHeaders, name), decimals);
    if (units === undefined) throw unusable(`header ${name}`, quota, decimals);
    return { quota, units, kind: 'fixed' };
  };
}

function numberPricer(
  spec: { readonly quota: string; readonly json: string; readonly default?: number | string | undefined },
  quotas: QuotaDecimals,
  queries: JsonQuery[],
): Pricer {
  const { quota, json: pointer } = spec;
  const decimals = decimalsOf(quotas, quota);
  const slot = slotFor(queries, { pointer, want: 'number' });
  const absent = spec.default === undefined ? undefined : configUnits(spec.default, quotas, quota);
  return (_rawHeaders, results) => {
    const text = results[slot];
    if (text === undefined && absent !== undefined) return { quota, units: absent, kind: 'fixed' };
    if (typeof text !== 'string') throw invalid(`The body has no number at "${pointer}".`);
    const units = unitsOfNumber(text, decimals);
    if (units === undefined) throw unusable(`body at "${pointer}"`, quota, decimals);
    return { quota, units, kind: 'fixed' };
  };
}

function lengthPricer(
  { quota, pointer, decimals }: { quota: string; pointer: string; decimals: number },
  queries: JsonQuery[],
): Pricer {
  const slot = slotFor(queries, { pointer, want: 'length' });
  return (_rawHeaders, results) => {
    const length = results[slot];
    if (typeof length !== 'number') throw invalid(`The body has no array at "${pointer}".`);
    const units = parseUnits(length, decimals);
    if (units === undefined) throw unusable(`body at "${pointer}"`, quota, decimals);
    return { quota, units, kind: 'fixed' };
  };
}

/** Charges with the same pointer share one result. */
function slotFor(queries: JsonQuery[], query: JsonQuery): number {
  const known = queries.findIndex((one) => one.pointer === query.pointer && one.want === query.want);
  return known >= 0 ? known : queries.push(query) - 1;
}

function unusable(where: string, quota: string, decimals: number): ProblemError {
  const form = decimals === 0 ? 'a whole number ≥ 0' : `a number ≥ 0 with at most ${decimals} decimals`;
  return invalid(`The cost in the ${where} must be ${form}, within the range of ${quota}.`);
}

function invalid(detail: string): ProblemError {
  return new ProblemError('cost-invalid', detail);
}
