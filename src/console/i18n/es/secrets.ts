import { pluralIn } from '../plural.js';
import type { Texts } from '../texts.js';

const count = pluralIn('es');

export const secrets: Texts['secrets'] = {
  once: 'Solo se muestra una vez. Cópielo ahora: nadie podrá leerlo después.',
  copy: 'Copiar',
  copied: 'Copiado',
  done: 'Listo',
  created: 'Creación',
  by: (who) => `por ${who}`,
  expires: 'Caduca',
  never: 'Nunca',
  inDays: (days) => count(days, { one: 'En # día', other: 'En # días' }),
  expired: 'Caducado',
};
