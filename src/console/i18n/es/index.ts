/** Español. */
import type { Texts } from '../texts.js';
import { common } from './common.js';
import { groups } from './groups.js';
import { limits } from './limits.js';
import { login } from './login.js';
import { overview } from './overview.js';
import { shell } from './shell.js';
import { user } from './user.js';
import { users } from './users.js';

export const es: Texts = { common, shell, login, overview, limits, users, user, groups };
