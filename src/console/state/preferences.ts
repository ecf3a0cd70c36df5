/** Theme and language, kept in the browser. */
import { effect, signal } from '@preact/signals';
import { isLanguage, type Language, loadTexts } from '../i18n/index.js';
import { store, stored } from './storage.js';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const isTheme = (text: string | undefined): text is Theme => THEMES.some((theme) => theme === text);

export const theme = signal<Theme>('system');

export function setTheme(next: Theme): void {
  theme.value = next;
  store('local', 'theme', next);
}

export async function setLanguage(next: Language): Promise<void> {
  store('local', 'language', next);
  await loadTexts(next);
}

function languageOfBrowser(): Language {
  const short = navigator.language.slice(0, 2);
  return isLanguage(short) ? short : 'en';
}

export async function startPreferences(): Promise<void> {
  const keptTheme = stored('local', 'theme');
  if (isTheme(keptTheme)) theme.value = keptTheme;
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
  const keptLanguage = stored('local', 'language');
  await loadTexts(isLanguage(keptLanguage) ? keptLanguage : languageOfBrowser());
}
