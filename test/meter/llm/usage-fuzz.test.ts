/**
 * Usage objects of every shape with counters removed, lowered, raised or broken: what is charged is never below half of the estimate of
 * the text that passed on a side, never below what the counters left untouched say, and never above all figures and the estimate.
 * `CASES=10000` for all of it, `SEED=…` for the same cases again.
 */
import t from 'tap';
import type { Usage } from '../../../src/quota/tokens.js';
import { seededBelow } from '../../support/random.js';
import { meterOf, pass, priced } from './drive.js';
import type { Counters, Side, Source, UsageForm } from './usage-forms/form.js';
import { pathOf, USAGE_FORMS } from './usage-forms.js';

const CASES = Number(process.env.CASES ?? 1_500);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

type Random = (below: number) => number;

const BROKEN: readonly unknown[] = [-1, 'x', null, 1.5, 1e300, [], {}, true];

/** Changes one counter, anywhere in the object, and keeps its dotted path. */
function mutate(usage: Counters, random: Random, touched: Set<string>, within = ''): void {
  const keys = Object.keys(usage);
  const key = keys[random(keys.length)];
  if (key === undefined) return;
  const value = usage[key];
  if (typeof value === 'object' && value !== null && random(3) > 0) {
    mutate(value as Counters, random, touched, `${within}${key}.`);
    return;
  }
  touched.add(`${within}${key}`);
  const kind = random(5);
  if (kind === 0) delete usage[key];
  else if (kind === 1) usage[key] = BROKEN[random(BROKEN.length)];
  else if (typeof value !== 'number') delete usage[key];
  else if (kind === 2) usage[key] = 0;
  else if (kind === 3) usage[key] = random(value + 1);
  else usage[key] = value + random(1_000);
}

function figuresOf(value: unknown): number {
  if (typeof value === 'number') return value > 0 && value < 1e12 ? Math.ceil(value) : 0;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, one) => sum + figuresOf(one), 0);
}

function at(usage: Counters, path: string): unknown {
  return path.split('.').reduce<unknown>((from, key) => (from as Counters | null | undefined)?.[key], usage);
}

const isUsable = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 1e12;

interface Stated {
  readonly usage: Counters;
  /** The counters that the mutation changed. */
  readonly touched: Set<string>;
}

/** What the counters of one object that are as they were say of a side. */
function untouched(form: UsageForm, { usage, touched }: Stated, all: readonly Stated[], side: Side): number {
  const isTouched = (path: string) => [...touched].some((one) => path === one || path.startsWith(`${one}.`));
  const counts = (path: string) => {
    const [object = '', counter] = path.split('.');
    const first = form.standIns?.[object];
    const isBilled = all.some((one) => first !== undefined && isUsable(at(one.usage, `${first}.${counter}`)));
    return !isTouched(path) && !isBilled;
  };
  const said = (source: Source) =>
    Object.keys(source)
      .filter((path) => source[path] === side && counts(path))
      .reduce((sum, path) => sum + figuresOf(at(usage, path)), 0);
  return Math.max(...form.sources.map(said));
}

interface Case {
  readonly form: UsageForm;
  readonly prompt: string;
  readonly text: string;
  readonly usages: readonly Counters[];
  readonly least: Readonly<Record<Side, number>>;
}

function caseOf(random: Random): Case {
  const form = USAGE_FORMS[random(USAGE_FORMS.length)] as UsageForm;
  const hasOutput = form.hasOutput !== false;
  const [prompt, long] = ['word, '.repeat(random(400)), 'some text. '.repeat(20 + random(300))];
  const text = hasOutput && form.isUnseen !== true ? long : '';
  const reasoning = hasOutput ? random(300) : 0;
  const input = Math.ceil(prompt.length / (2 + random(3))) + 5;
  const output = Math.ceil(text.length / (2 + random(3))) + reasoning;
  const counts = { input, cached: random(input), output, reasoning };
  const early = { ...counts, output: Math.floor(output / 2), reasoning: Math.floor(reasoning / 2) };
  const stated = form.isStream === true && random(2) === 0 ? [early, counts] : [counts];
  const all = stated.map((one): Stated => ({ usage: form.usage(one), touched: new Set() }));
  for (const { usage, touched } of all)
    for (let times = random(4); times > 0; times -= 1) mutate(usage, random, touched);
  const leastOf = (side: Side) => Math.max(...all.map((one) => untouched(form, one, all, side)));
  const least = { input: leastOf('input'), output: leastOf('output'), total: leastOf('total') };
  return { form, prompt, text, usages: all.map(({ usage }) => usage), least };
}

interface Charged {
  readonly units: number;
  readonly usage: Usage;
  /** Of the request and of the answer. */
  readonly estimate: number;
}

function failuresOf({ form, prompt, text, usages, least }: Case, charged: Charged): string[] {
  const { units, usage, estimate } = charged;
  const { input, cachedInput, cacheWrite, output, reasoning } = usage;
  return [
    !Number.isSafeInteger(units) && 'no number',
    Math.min(input, cachedInput, cacheWrite, output, reasoning) < 0 && 'negative',
    (cachedInput + cacheWrite > input || reasoning > output) && 'a part beyond its side',
    input < (form.inputLeast?.(prompt) ?? prompt.length / 6) && 'input below half of its text',
    output < text.length / 6 && 'output below half of its text',
    form.isUnseen === true && output === 0 && 'no output where something was made',
    form.hasOutput === false && output > 0 && 'output where there is none',
    input < least.input && `input below ${least.input}`,
    output < least.output && `output below ${least.output}`,
    units < least.total && `below the total of ${least.total}`,
    units > figuresOf(usages) * (form.figureUnits ?? 1) + estimate && 'above all figures and the estimate',
  ].filter((failure) => failure !== false);
}

const NO_USAGE: Usage = { input: -1, cachedInput: -1, cacheWrite: -1, output: -1, reasoning: -1 };

t.test(`${CASES} mutated usages, seed ${SEED}`, async (t) => {
  const random = seededBelow(SEED);
  const meters = new Map(USAGE_FORMS.map(({ api }) => [api, meterOf(api)]));
  const seen = new Map(USAGE_FORMS.map(({ name }) => [name, 0]));
  let exact = 0;
  for (let number = 0; number < CASES; number += 1) {
    const one = caseOf(random);
    const { form, prompt, text, usages } = one;
    const meter = meters.get(form.api) ?? meterOf(form.api);
    const request = form.request(prompt);
    const { query = '', headers = [], furtherEstimate = 0 } = form;
    const asked = await priced(meter, request, pathOf(form), { query, headers });
    const { body, ...head } = form.answer(text, usages);
    const passed = await pass(asked, Buffer.from(body), { ...head, chunkBytes: 50 + random(2_000) });
    const units = passed.costs[0]?.units ?? -1;
    const requestBytes = Buffer.isBuffer(request) ? prompt.length : JSON.stringify(request).length;
    const estimate = Math.ceil(requestBytes / 3) + Math.ceil(text.length / 3) + 10 + furtherEstimate;
    const failures = failuresOf(one, { units, usage: passed.report?.usage ?? NO_USAGE, estimate });
    if (failures.length > 0) {
      const detail = { usages, report: passed.report?.usage, prompt: prompt.length, text: text.length };
      t.fail(`case ${number} of seed ${SEED}, ${form.name}: ${failures.join(', ')}`, detail);
    }
    if (passed.costs[0]?.estimated === false) exact += 1;
    seen.set(form.name, (seen.get(form.name) ?? 0) + 1);
  }
  t.comment(`${exact} charged to the token; ${seen.size} forms`);
  t.ok(exact > CASES / 4 && exact < CASES, 'neither all are whole nor all broken');
  t.ok(CASES < 1_000 || [...seen.values()].every((cases) => cases > 0), 'every form had its cases');
  await Promise.all([...meters.values()].map((meter) => meter.close()));
});
