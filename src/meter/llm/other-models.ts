/**
 * Finds the other models that a request names: fallback lists, routers, tools that run a model. Each of them may
 * answer, so each is priced.
 */
import { ProblemError } from '../../errors/catalogue.js';
import type { ValueSpan } from './json-scan.js';
import { parameters } from './query.js';
import type { Path } from './span-tree.js';

/** Lists of names, or of objects that contain one (OpenRouter, LiteLLM, Anthropic, AssemblyAI). */
const LISTS = ['models', 'fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'];
/** Members that may contain a model name at any depth. */
const HOLDERS = [
  'route',
  'provider',
  'providers',
  'providerOptions',
  'plugins',
  'tools',
  'user_config',
  'model_list',
  'extra_body',
  'data_sources',
  'preset',
];

export const OTHER_MODELS: readonly Path[] = [...LISTS, ...HOLDERS].map((key) => [key]);

const MODEL_KEY = /(?:^|[a-z_-])models?(?:[_-]?(?:name|id)s?)?$/i;
const DEPLOYMENT_KEY = /^deployment(?:_?(?:name|id))?$/i;
const FALLBACK_KEY = /fallbacks?$/i;
const OUTPUT_LIMIT_KEY = /^max_?(?:completion|output|new)?_?tokens$/i;
const CHOICES_KEY = /^(?:n|best_?of|candidate_?count)$/i;
/** The caller's own tools: their schemas may contain keys named `model` that do not name a model. */
const OWN_TOOLS = new Set<unknown>([undefined, null, 'function', 'custom']);

/** Headers and query parameters by which gateways replace the body's model. */
const SELECTING_HEADER =
  /(?:^|-)models?(?:-(?:name|id|deployment))?$|^x-portkey-config$|^helicone-fallbacks$/;
const SELECTING_PARAMETER = /^(?:models?|model_?(?:id|name)|fallbacks?|deployment(?:_?(?:id|name))?)$/;

export interface OtherModels {
  readonly names: readonly string[];
  /** The largest output limit that one of them states for itself; 0 if none does. */
  readonly outputLimit: number;
}

const NONE: OtherModels = { names: [], outputLimit: 0 };

/** The scanned body. */
interface Source {
  at(path: Path): ValueSpan | undefined;
  text(span: ValueSpan): string;
}

/**
 * An absent value names no model. Throws ProblemError `cost-invalid` if a value could name a model but cannot be read.
 */
export function otherModels(paths: readonly Path[], source: Source): OtherModels {
  let found: ModelCollector | undefined;
  for (const path of paths) {
    const span = source.at(path);
    if (span === undefined || span.kind === 'null') continue;
    const text = source.text(span);
    const key = path.at(-1) ?? '';
    // Tool schemas can be long and rarely name a model, so a quick test comes first.
    if (key === 'tools' && !/model|deployment|fallback|\\u/i.test(text)) continue;
    found ??= new ModelCollector();
    refuseDuplicateKeys(key, text);
    found.take(key, JSON.parse(text));
  }
  return found ?? NONE;
}

/** Matches a string, a brace or a colon. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}:]/g;

/**
 * If a member occurs twice, some parsers take the first and some the last.
 * @param text valid JSON
 */
function refuseDuplicateKeys(where: string, text: string): void {
  const open: Set<string>[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token !== ':') last = token;
    else {
      const name = JSON.parse(last) as string;
      const names = open.at(-1);
      if (names?.has(name) === true)
        throw unreadable(where, `has ${JSON.stringify(name)} twice in one object`);
      names?.add(name);
    }
  }
}

class ModelCollector implements OtherModels {
  readonly names: string[] = [];
  outputLimit = 0;

  take(key: string, value: unknown): void {
    if (key === 'tools') this.tools(value);
    else if (LISTS.includes(key)) this.list(key, value);
    else if (key === 'preset') this.preset(value);
    else if (key === 'route') this.route(value);
    else this.holder(value);
  }

  private list(key: string, value: unknown): void {
    if (!Array.isArray(value)) throw unreadable(key, 'must be a list of models');
    for (const one of value) {
      if (typeof one === 'string') this.names.push(one);
      else if (!isRecord(one)) throw unreadable(key, 'must be a list of models');
      else if (Object.keys(one).some((name) => MODEL_KEY.test(name))) this.holder(one);
      else for (const names of Object.values(one)) this.list(key, names);
    }
  }

  private tools(value: unknown): void {
    if (!Array.isArray(value)) return;
    for (const tool of value) {
      if (!isRecord(tool)) continue;
      const types = Object.keys(tool).filter((name) => name.toLowerCase() === 'type');
      if (OWN_TOOLS.has(tool.type) && types.length < 2)
        this.holder({ model: tool.model, models: tool.models }, false);
      else this.holder(tool, false);
    }
  }

  /** The upstream maps a preset to models, so the preset is priced as a model name of its own. */
  private preset(value: unknown): void {
    if (typeof value !== 'string') throw unreadable('preset', 'must be a string');
    this.names.push(value.startsWith('@preset/') ? value : `@preset/${value}`);
  }

  /** Without a list of models, `fallback` allows any model of the upstream's choice. */
  private route(value: unknown): void {
    if (typeof value !== 'string') this.holder(value);
    else if (value !== 'fallback' || this.names.length === 0) this.names.push(`@route/${value}`);
  }

  /**
   * @param overrides members beside a model name are parameters of its request and may include an output limit
   */
  private holder(value: unknown, overrides = true): void {
    if (Array.isArray(value)) {
      for (const one of value) this.holder(one, overrides);
      return;
    }
    if (!isRecord(value)) return;
    for (const [key, member] of Object.entries(value)) {
      if (MODEL_KEY.test(key) || DEPLOYMENT_KEY.test(key) || FALLBACK_KEY.test(key))
        this.named(key, member, overrides);
      else if (overrides && OUTPUT_LIMIT_KEY.test(key))
        this.outputLimit = Math.max(this.outputLimit, whole(key, member));
      else if (overrides && CHOICES_KEY.test(key) && whole(key, member) > 1)
        throw unreadable(key, 'must be set at the top level, beside the model of the request');
      else if (key !== 'messages') this.holder(member, overrides);
    }
  }

  private named(key: string, value: unknown, overrides: boolean): void {
    if (typeof value === 'string') this.names.push(value);
    else if (Array.isArray(value)) for (const one of value) this.named(key, one, overrides);
    else this.holder(value, overrides);
  }
}

/** null counts as absent. */
function whole(key: string, value: unknown): number {
  if (value === null) return 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw unreadable(key, 'must be a whole number ≥ 0');
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Throws ProblemError for headers or parameters that make the upstream run another model than the path or body names.
 */
export function refuseSelectors(query: string, rawHeaders: readonly string[]): void {
  const parameter = parameters(query).find(([name]) => SELECTING_PARAMETER.test(name));
  if (parameter !== undefined)
    throw new ProblemError(
      'cost-invalid',
      `The query must not choose a model: remove the parameter ${parameter[0]}.`,
    );
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    if (SELECTING_HEADER.test(name))
      throw new ProblemError('cost-invalid', `The header ${name} can choose another model: remove it.`);
  }
}

/** For routes that accept one model per request. */
export function refuseOthers({ names: [first] }: OtherModels): void {
  if (first === undefined) return;
  const message = `This route takes one model a request, and ${JSON.stringify(first)} is named beside it.`;
  throw new ProblemError('cost-invalid', message);
}

function unreadable(key: string, what: string): ProblemError {
  return new ProblemError('cost-invalid', `${key} ${what}.`);
}
