/** What a language has to say: the keys of English. */
import type { en } from './en/index.js';

export type Texts = typeof en;
