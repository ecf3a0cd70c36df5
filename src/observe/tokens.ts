/**
 * Counts tokens of AI answers by the pattern of `models` that priced them. Names that clients send are never labels.
 */
import type { TokenReport } from '../quota/tokens.js';
import type { Builder } from './builder.js';
import type { Counter, MetricOf } from './metric-store.js';

const OTHER = 'other';

export class TokenMetrics {
  private readonly tokens: MetricOf<Counter>;
  private readonly estimated: MetricOf<Counter>;

  constructor(build: Builder) {
    this.tokens = build.counters({
      name: 'quotagate_tokens_total',
      help: 'Tokens of AI answers by class; `model`: the pattern in `models`, `other` without one. The classes add up.',
      labels: ['model', 'class'],
    });
    this.estimated = build.counters({
      name: 'quotagate_answers_estimated_total',
      help: 'AI responses without usable usage figures, charged an estimate.',
      labels: ['model'],
    });
  }

  counted({ model, usage, estimated }: TokenReport): void {
    const pattern = model === '' ? OTHER : model;
    const { input, cachedInput, cacheWrite, output, reasoning } = usage;
    this.tokens(pattern, 'input').add(input - cachedInput - cacheWrite);
    this.tokens(pattern, 'cached-input').add(cachedInput);
    this.tokens(pattern, 'cache-write').add(cacheWrite);
    this.tokens(pattern, 'output').add(output - reasoning);
    this.tokens(pattern, 'reasoning').add(reasoning);
    if (estimated) this.estimated(pattern).add();
  }
}
