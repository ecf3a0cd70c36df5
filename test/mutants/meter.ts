/** Mutants of the AI token meter: rules 32 and 33. */
import { inMeter, type Mutant } from './mutant.js';

const MODELS = 'rule 32';
const USAGE = 'rule 33';

export const METER: readonly Mutant[] = [
  inMeter(MODELS, 'only the model of the request is held', 'other-models', [
    'meter',
    '[request.model, ...request.others.names]',
    '[request.model]',
  ]),
  inMeter(MODELS, 'the first model that is named is held, not the dearest', 'other-models', [
    'price',
    'return Math.max(...this.prices.map((price) => price.hold(input, output)));',
    'return this.prices[0].hold(input, output);',
  ]),
  inMeter(MODELS, 'the model that answers sets no price', 'other-models', [
    'rates',
    'for (const name of models) {',
    'for (const name of []) {',
  ]),
  inMeter(MODELS, 'a model that no row lists is charged as the first that was named', 'other-models', [
    'rates',
    'rows.push(...this.namedRows);',
    'rows.push(this.namedRows[0]);',
  ]),
  inMeter(MODELS, 'an answer by parts is charged at one price', 'other-models', [
    'rates',
    'if (parts.length === 0 || rest === undefined)',
    'if (true)',
  ]),
  inMeter(MODELS, 'a build of a model falls to a cheaper row', 'other-models', [
    'models',
    '(lengths[asked.row] ?? 0) >= length',
    'false',
  ]),
  inMeter(MODELS, 'models of tools are not read', 'other-models', [
    'other-models',
    `if (key === 'tools')\n            this.tools(value);`,
    `if (key === 'tools')\n            return;`,
  ]),
  inMeter(MODELS, 'headers choose another model', 'other-models', [
    'other-models',
    'if (SELECTING_HEADER.test(name))',
    'if (false)',
  ]),
  inMeter(USAGE, 'counters fall', 'contradictions', ['usage-merge', 'if (!fell)', 'if (stated)']),
  inMeter(USAGE, 'a partial object takes the place of all before it', 'contradictions', [
    'usage-merge',
    'confirmed ? withDetails(raw, next) : overlay(raw, next, latestOf)',
    'next',
  ]),
  inMeter(USAGE, 'an early prompt is never corrected', 'contradictions', [
    'usage-merge',
    'confirmed && usage.output === 0',
    'false',
  ]),
  inMeter(USAGE, 'input of 0 beside a prompt', 'contradictions', [
    'usage-check',
    'return input === 0 ? inputTokens :',
    'return input === 0 ? 0 :',
  ]),
  inMeter(USAGE, 'output of 0 beside text', 'contradictions', [
    'usage-check',
    'outputOmitted === true && outputTextTokens <= OMITTED_TOKENS_MAX',
    'true',
  ]),
  inMeter(USAGE, 'output far below its text', 'contradictions', [
    'usage-check',
    'return Math.max(output, Math.ceil(outputTextTokens * MIN_TEXT_SHARE));',
    'return output;',
  ]),
  inMeter(USAGE, 'reasoning beside the output is cut to it', 'odd-answers', [
    'usage',
    'part <= whole * tolerance ? whole : whole + part',
    'whole',
  ]),
];
