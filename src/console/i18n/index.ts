/** The texts of the page: English is loaded with it, other languages when they are chosen. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { en } from './en/index.js';
import type { Texts } from './texts.js';

export const LANGUAGES = { en: 'English', es: 'Español' } as const;
export type Language = keyof typeof LANGUAGES;

const current = signal<Texts>(en);
const currentLanguage = signal<Language>('en');

/** Read in a component: it renders again in another language. */
export const texts: ReadonlySignal<Texts> = current;
export const language: ReadonlySignal<Language> = currentLanguage;

export function isLanguage(text: string | undefined): text is Language {
  return text !== undefined && Object.hasOwn(LANGUAGES, text);
}

export async function loadTexts(next: Language): Promise<void> {
  current.value = next === 'es' ? (await import('./es/index.js')).es : en;
  currentLanguage.value = next;
  document.documentElement.lang = next;
}
