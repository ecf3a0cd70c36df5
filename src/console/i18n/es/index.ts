/** Español. */
import type { Texts } from '../texts.js';
import { audit } from './audit.js';
import { common } from './common.js';
import { events } from './events.js';
import { groups } from './groups.js';
import { history } from './history.js';
import { limits } from './limits.js';
import { login } from './login.js';
import { overview } from './overview.js';
import { shell } from './shell.js';
import { user } from './user.js';
import { users } from './users.js';

export const es: Texts = {
  common,
  shell,
  login,
  overview,
  limits,
  users,
  user,
  groups,
  history,
  events,
  audit,
};
