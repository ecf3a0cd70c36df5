/** Numbers as people read them, in the language of the page. */
import { language, texts } from '../i18n/index.js';
import { localeOf } from './locale.js';

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const locale = localeOf(language.value);
  const key = `${locale} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.NumberFormat(locale, { useGrouping: 'always', ...options });
  formats.set(key, format);
  return format;
}

/** A quota has at most six decimals. */
const AMOUNT = { maximumFractionDigits: 6 } as const;

/** `4,812`, or with a unit `4,812 units`. */
export function amount(value: number, unit?: string): string {
  const number = formatOf(AMOUNT).format(value);
  return unit === undefined ? number : `${number} ${unit}`;
}

/** `2M`, for axes, where a long number has no place. */
export function shortAmount(value: number): string {
  return formatOf({ notation: 'compact', maximumFractionDigits: 2 }).format(value);
}

/** In percent: less is not shown as 0 %. */
const LEAST_SHOWN = 0.1;

/** Of a percentage such as 23.99. Only what is all says 100 %. */
export function percent(value: number): string {
  if (value > 0 && value < LEAST_SHOWN) return `<${percent(LEAST_SHOWN)}`;
  const isNearlyAll = value < 100 && value > 99;
  const shown = isNearlyAll ? Math.floor(value * 10) / 10 : value;
  return formatOf({ style: 'percent', maximumFractionDigits: isNearlyAll ? 1 : digitsOf(value) }).format(
    shown / 100,
  );
}

function digitsOf(value: number): number {
  return value === 0 || value >= 10 ? 0 : 1;
}

/** All digits that a percent limit can have. */
export function exactPercent(value: number): string {
  return formatOf({ style: 'percent', maximumFractionDigits: 7 }).format(value / 100);
}

/** The names of the usual quotas; any other has its id. */
export function quotaName(quota: string): string {
  const names: Readonly<Record<string, string>> = texts.value.common.quotas;
  return Object.hasOwn(names, quota) ? (names[quota] ?? quota) : quota;
}

/** A number that a person typed, in the notation of JSON or of their language; undefined if it is none. */
export function typedNumber(text: string): number | undefined {
  const parts = formatOf({}).formatToParts(1_234.5);
  const partOf = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  const plain = text.replaceAll(/\s/g, '').replaceAll(partOf('group'), '').replace(partOf('decimal'), '.');
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : undefined;
}
