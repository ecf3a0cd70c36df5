/** English, the language that all others follow. */
import { common } from './common.js';
import { limits } from './limits.js';
import { login } from './login.js';
import { overview } from './overview.js';
import { shell } from './shell.js';

export const en = { common, shell, login, overview, limits };
