/** Collects the facts of an answer that decide its price besides the token counts, for all APIs. */
import type { Usage } from '../../quota/tokens.js';
import { type Extras, NO_EXTRAS } from './price.js';
import {
  count,
  inputDetailsOf,
  isObject,
  type Json,
  listOf,
  member,
  outputDetailsOf,
  usageOf,
} from './usage.js';

/** Members with such facts. They are also read from a JSON body that is too large to parse as a whole. */
export const FACT_MEMBERS = ['model', 'modelVersion', 'service_tier', 'tool_usage'];

/** Members that may contain the answer within an event. */
const HOLDERS = ['response', 'message'];

export interface ToolUsage {
  readonly usage: Usage;
  readonly extras: Extras;
}

export interface TokenKinds {
  readonly inputKind?: 'audioInput';
  readonly outputKind?: 'audioOutput' | 'imageOutput';
}

/** How the answer was made, as far as it is reported. */
export class PriceFacts implements Extras {
  /** The models that the answer names. */
  readonly models = new Set<string>();
  /** In lower case; undefined if not reported. */
  tier: string | undefined;
  speed: string | undefined;
  cacheWrite1h = 0;
  audioInput = 0;
  imageInput = 0;
  audioOutput = 0;
  imageOutput = 0;
  /** Tokens of tools that run a model. They are not part of `usage`. */
  toolUsage: ToolUsage | undefined;
  readonly calls = new Map<string, number>();
  private readonly items = new Map<string, Set<string>>();

  read(document: Json): void {
    this.answer(document);
    // Streams of Responses and of Anthropic messages wrap the answer.
    for (const holder of HOLDERS) {
      const inner = document[holder];
      if (isObject(inner)) this.answer(inner);
    }
    if (isObject(document.item)) this.item(document.item, document.type);
  }

  /** If no kinds are reported, all tokens of a side have the API's default kind. */
  applyDefaults({ inputKind, outputKind }: TokenKinds, usage: Usage): void {
    if (inputKind !== undefined && this[inputKind] === 0) this[inputKind] = usage.input;
    if (outputKind !== undefined && this[outputKind] === 0) this[outputKind] = usage.output;
  }

  private answer(answer: Json): void {
    this.model(answer.model);
    this.model(answer.modelVersion);
    this.tier = reported(answer.service_tier) ?? this.tier;
    if (isObject(answer.usage)) this.usage(answer.usage);
    if (isObject(answer.usageMetadata)) this.metadata(answer.usageMetadata);
    if (isObject(answer.tool_usage)) this.readToolUsage(answer.tool_usage);
    for (const item of listOf(answer.output)) if (isObject(item)) this.item(item, undefined);
    for (const choice of listOf(answer.choices))
      this.choice(member(choice, 'message') ?? member(choice, 'delta'));
    for (const candidate of listOf(answer.candidates)) this.grounding(member(candidate, 'groundingMetadata'));
  }

  /** Azure streams begin with chunks that have an empty model name. */
  private model(name: unknown): void {
    if (typeof name === 'string' && name !== '') this.models.add(name);
  }

  private usage(usage: Json): void {
    this.tier = reported(usage.service_tier) ?? this.tier;
    this.speed = reported(usage.speed) ?? this.speed;
    const input = inputDetailsOf(usage);
    const output = outputDetailsOf(usage);
    this.raiseTo('audioInput', count(input, 'audio_tokens'));
    this.raiseTo('imageInput', count(input, 'image_tokens'));
    this.raiseTo('audioOutput', count(output, 'audio_tokens'));
    this.raiseTo('imageOutput', count(output, 'image_tokens'));
    const passes = listOf(usage.iterations).filter(isObject);
    const written = [usage, ...passes].map(
      (one) => count(one.cache_creation, 'ephemeral_1h_input_tokens') || 0,
    );
    const [top = 0, ...others] = written;
    this.raiseTo(
      'cacheWrite1h',
      Math.max(
        top,
        others.reduce((sum, one) => sum + one, 0),
      ),
    );
    for (const [name, calls] of Object.entries(isObject(usage.server_tool_use) ? usage.server_tool_use : {}))
      this.recordCalls(name.replace(/_requests$/, ''), calls);
    this.recordCalls('web_search', usage.num_search_queries);
    // xAI: sources of its live search, and `web_search_calls` of the tools that it ran.
    this.recordCalls('live_search', usage.num_sources_used);
    const { server_side_tool_usage_details: ran } = usage;
    for (const [name, calls] of Object.entries(isObject(ran) ? ran : {}))
      this.recordCalls(name.replace(/_calls$/, ''), calls);
  }

  private metadata(usage: Json): void {
    this.tier = reported(usage.serviceTier) ?? reported(usage.trafficType) ?? this.tier;
    const input = [...listOf(usage.promptTokensDetails), ...listOf(usage.toolUsePromptTokensDetails)];
    const output = listOf(usage.candidatesTokensDetails);
    this.raiseTo('audioInput', ofModality(input, ['AUDIO']));
    this.raiseTo('imageInput', ofModality(input, ['IMAGE', 'VIDEO']));
    this.raiseTo('audioOutput', ofModality(output, ['AUDIO']));
    this.raiseTo('imageOutput', ofModality(output, ['IMAGE', 'VIDEO']));
  }

  private readToolUsage(usage: Json): void {
    this.recordCalls('web_search', member(usage.web_search, 'num_requests'));
    const images = usage.image_gen;
    const input = count(images, 'input_tokens');
    const output = count(images, 'output_tokens');
    const found = usageOf({ input, output, total: count(images, 'total_tokens') });
    if (!found) return;
    const imageInput = count(member(images, 'input_tokens_details'), 'image_tokens') || 0;
    const text = count(member(images, 'output_tokens_details'), 'text_tokens') || 0;
    const extras = { ...NO_EXTRAS, imageInput, imageOutput: Math.max(0, found.output - text) };
    this.toolUsage = { usage: found, extras };
  }

  /**
   * Counts a tool that the provider ran: `web_search_call`. A stream reports it at its start, at its end, and in the
   * last event.
   */
  private item(item: Json, event: unknown): void {
    const { type } = item;
    if (typeof type !== 'string' || !type.endsWith('_call') || type === 'function_call') return;
    const name = type.slice(0, -'_call'.length);
    const ids = this.items.get(name) ?? new Set<string>();
    this.items.set(name, ids);
    // An item without an id is identified by its position.
    ids.add(String(item.container_id ?? item.id ?? `${String(event)} ${ids.size}`));
    this.recordCalls(name, ids.size);
  }

  /** Chat: searches appear as links that the text cites; Groq lists the tools it ran. */
  private choice(message: unknown): void {
    const cites = listOf(member(message, 'annotations')).some(
      (one) => member(one, 'type') === 'url_citation',
    );
    if (cites) this.recordCalls('web_search', 1);
    const ran = new Map<string, number>();
    for (const tool of listOf(member(message, 'executed_tools'))) {
      const type = member(tool, 'type');
      if (typeof type === 'string') ran.set(type, (ran.get(type) ?? 0) + 1);
    }
    for (const [name, calls] of ran) this.recordCalls(name, calls);
  }

  private grounding(metadata: unknown): void {
    if (!isObject(metadata)) return;
    const queries = listOf(metadata.webSearchQueries).length;
    if (queries > 0 || listOf(metadata.groundingChunks).length > 0)
      this.recordCalls('google_search', Math.max(1, queries));
  }

  /** Counters never decrease. */
  private recordCalls(name: string, calls: unknown): void {
    if (typeof calls !== 'number' || !Number.isSafeInteger(calls) || calls <= (this.calls.get(name) ?? 0))
      return;
    this.calls.set(name, calls);
  }

  private raiseTo(
    name: 'cacheWrite1h' | 'audioInput' | 'imageInput' | 'audioOutput' | 'imageOutput',
    tokens: number,
  ): void {
    if (tokens > this[name]) this[name] = tokens;
  }
}

/** `auto` repeats the request; it does not say which tier was used. */
function reported(word: unknown): string | undefined {
  if (typeof word !== 'string' || word === '') return undefined;
  const plain = word.toLowerCase();
  return plain === 'auto' ? undefined : plain;
}

function ofModality(details: readonly unknown[], modalities: readonly unknown[]): number {
  return details
    .filter((one) => modalities.includes(member(one, 'modality')))
    .reduce<number>((sum, one) => sum + (count(one, 'tokenCount') || 0), 0);
}
