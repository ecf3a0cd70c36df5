/** Español. */
import type { Texts } from '../texts.js';
import { audit } from './audit.js';
import { common } from './common.js';
import { events } from './events.js';
import { groups } from './groups.js';
import { history } from './history.js';
import { inFlight } from './in-flight.js';
import { keys } from './keys.js';
import { limits } from './limits.js';
import { login } from './login.js';
import { notices } from './notices.js';
import { overview } from './overview.js';
import { secrets } from './secrets.js';
import { settings } from './settings.js';
import { shell } from './shell.js';
import { tokens } from './tokens.js';
import { user } from './user.js';
import { users } from './users.js';

export const es: Texts = {
  common,
  shell,
  login,
  overview,
  inFlight,
  limits,
  users,
  user,
  groups,
  history,
  events,
  audit,
  notices,
  keys,
  tokens,
  secrets,
  settings,
};
