import { pluralIn } from '../plural.js';
import type { Texts } from '../texts.js';

const count = pluralIn('es');

export const limits: Texts['limits'] = {
  title: 'Límites',
  about: (end) =>
    `Un límite es firme: quien lo alcanza queda bloqueado al instante, hasta que se amplía o acaba el periodo el ${end}.`,
  noQuota: 'Esta organización no tiene ningún plan: todavía no hay nada que limitar.',
  pool: (pool, consumed, mode) => `Fondo de ${pool}, ${consumed} consumidos; ${mode}.`,
  modes: {
    hard: 'firme: nadie lo sobrepasa',
    soft: 'flexible: las peticiones continúan',
    shadow: 'sombra: se cuenta, nunca se rechaza',
  },
  set: 'Fijar límite',
  tabs: 'Cuotas',
  search: 'Buscar usuarios y grupos',
  filterStatus: 'Estado',
  filterScope: 'Límites de',
  scopes: { all: 'Usuarios y grupos', user: 'Usuarios', group: 'Grupos' },
  caption: (quota) => `Límites de ${quota}`,
  empty: {
    title: (quota) => `Sin límites en ${quota}`,
    text: 'Todos pueden consumir el fondo entero. Fije un límite para un usuario, o para un grupo, cuyos miembros lo comparten.',
  },
  columns: {
    subject: 'Usuario o grupo',
    role: 'Rol',
    limit: 'Límite',
    consumed: 'Consumido en este periodo',
    left: 'Queda',
    status: 'Estado',
  },
  ofPool: (share) => `${share} del fondo`,
  raisedBy: (units) => `ampliado en ${units} hasta el`,
  shadow: 'Sombra',
  shadowTitle: 'Se evalúa y se cuenta, nunca rechaza',
  group: 'Grupo',
  actionsFor: (name) => `Acciones para ${name}`,
  raise: 'Ampliar por un tiempo',
  endRaise: 'Terminar la ampliación',
  caps: {
    short: (sum) => `Los topes de los usuarios activos suman ${sum}, no 100 %.`,
    unconsumable: (units) => `Nadie puede consumir ${units} del fondo.`,
    maybe: 'Los usuarios sin tope pueden consumir el resto.',
    oversubscribed: (sum) =>
      `Los topes de los usuarios activos suman ${sum}. Quien llega primero consume el fondo.`,
    distribute: 'Repartir por igual',
  },
  distribute: {
    title: (quota) => `¿Repartir ${quota} por igual?`,
    about: 'Cada usuario activo recibe la misma parte del fondo; juntas son exactamente el 100 %.',
    keepAbsolute: 'Conservar los límites fijados en unidades',
    each: (users, share) =>
      count(users, {
        one: `# usuario activo recibe ${share}.`,
        other: `# usuarios activos reciben ${share} cada uno.`,
      }),
    replaced: (limits) =>
      count(limits, {
        one: 'Se sustituye # límite en unidades.',
        other: 'Se sustituyen # límites en unidades.',
      }),
    blocks: (users) =>
      count(users, {
        one: '# usuario quedará bloqueado al instante: ha consumido más que esa parte.',
        other: '# usuarios quedarán bloqueados al instante: han consumido más que esa parte.',
      }),
    done: (quota) => `${quota} está repartido por igual.`,
  },
  dialog: {
    title: (quota) => `Fijar límite en ${quota}`,
    editTitle: (name, quota) => `Límite de ${name} en ${quota}`,
    subject: 'Usuario o grupo',
    subjectHelp: 'Los miembros de un grupo comparten su límite.',
    subjectMissing: 'Elija un usuario o un grupo de la lista.',
    has: (cap) => `Ya tiene un límite: ${cap}`,
    amount: 'Límite',
    amountHelp: 'Mayor que 0. No existe «ilimitado»: para levantar un límite, elimínelo.',
    amountMissing: 'Escriba un número mayor que 0.',
    unitOfAmount: 'Unidad del límite',
    percentOfPool: '% del fondo',
    isPercent: (units) => `Ahora son ${units}.`,
    shadow: 'Sombra: contar e informar, sin rechazar nunca',
    submit: 'Fijar límite',
    save: 'Guardar límite',
    submitBlocking: (users) =>
      count(users, { one: 'Guardar y bloquear a # usuario', other: 'Guardar y bloquear a # usuarios' }),
  },
  preview: {
    checking: 'Comprobando el efecto de este límite…',
    fine: (left) => `Este límite no bloquea a nadie: quedarían ${left}.`,
    blocks: (name) => `${name} quedará bloqueado al instante`,
    blocksGroup: (name, users) =>
      count(users, {
        one: `# usuario de ${name} quedará bloqueado al instante`,
        other: `# usuarios de ${name} quedarán bloqueados al instante`,
      }),
    figures: (consumed, limit) => `${consumed} de ${limit} consumidos`,
    held: (held) => `y ${held} reservados`,
    shadow: 'Se alcanzaría al instante; en modo sombra nadie queda bloqueado.',
    others: (names, more) => (more === 0 ? names : `${names} y ${more} más`),
    lastCycle: (users, days) =>
      count(users, {
        one: `Habría bloqueado a # usuario en el periodo anterior (${days}).`,
        other: `Habría bloqueado a # usuarios en el periodo anterior (${days}).`,
      }),
  },
  raiseDialog: {
    title: (name, quota) => `Ampliar el límite de ${name} en ${quota}`,
    now: (limit, consumed) => `El límite es de ${limit}; se han consumido ${consumed}.`,
    units: 'Ampliar en',
    unitsMissing: 'Escriba un número mayor que 0.',
    until: 'Hasta',
    untilHelp: (zone) => `Hora de ${zone}. La ampliación termina sola.`,
    untilMissing: 'Escriba una hora futura.',
    reasonMissing: 'Diga por qué. Aparece en el registro de auditoría.',
    quick: 'Sugerencias',
    tomorrow: 'Mañana',
    friday: 'Viernes por la tarde',
    reset: 'Fin del periodo',
    becomes: (limit, left) => `El límite pasa a ${limit}: quedan ${left}.`,
    staysReached: (limit, consumed) =>
      `El límite pasa a ${limit}, con ${consumed} consumidos: sigue alcanzado.`,
    submit: 'Ampliar límite',
    asks: (user) => `${user} pide una ampliación.`,
    asksFor: (user, units) => `${user} pide ${units} más.`,
    decline: 'Rechazar',
  },
  deleteDialog: {
    title: (name, quota) => `¿Eliminar el límite de ${name} en ${quota}?`,
    user: (name) => `${name} podrá consumir lo que dejan los grupos y el fondo.`,
    group: (name) => `Los miembros de ${name} podrán consumir lo que dejan sus propios límites y el fondo.`,
    unblocks: 'Quien está bloqueado por él puede seguir al instante.',
    kept: (consumed) => `Lo consumido (${consumed}) sigue contando.`,
  },
  endRaiseDialog: {
    title: (name, quota) => `¿Terminar la ampliación de ${name} en ${quota}?`,
    text: (units) => `Se retiran ahora los ${units} adicionales.`,
    blocks: (name, consumed, cap) =>
      `${name} quedará bloqueado al instante: ${consumed} de ${cap} consumidos.`,
  },
  done: {
    set: (name, limit) => `El límite de ${name} es de ${limit}.`,
    deleted: (name) => `El límite de ${name} se ha eliminado.`,
    raised: (name) => `El límite de ${name} se ha ampliado.`,
    declined: (name) => `La petición para ${name} se ha rechazado.`,
    ended: (name) => `La ampliación de ${name} ha terminado.`,
  },
};
