/** Español. */
import type { Texts } from '../texts.js';
import { common } from './common.js';
import { limits } from './limits.js';
import { login } from './login.js';
import { overview } from './overview.js';
import { shell } from './shell.js';

export const es: Texts = { common, shell, login, overview, limits };
