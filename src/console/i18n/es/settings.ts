import { pluralIn } from '../plural.js';
import type { Texts } from '../texts.js';

const count = pluralIn('es');

const WEEKDAYS = ['lunes', 'martes', 'miércoles', 'jueves', 'viernes', 'sábado', 'domingo'];
const two = (number: number): string => String(number).padStart(2, '0');

export const settings: Texts['settings'] = {
  title: 'Configuración',
  about: (name) => `Nombre, plazas, ciclo y planes de ${name}.`,
  archived: 'Archivada',
  archivedText:
    'Esta organización está archivada: todas sus peticiones se rechazan y nada se puede cambiar. Durante 30 días se puede restaurar como estaba.',
  archive: 'Archivar',
  restore: 'Restaurar',
  org: {
    title: 'Organización',
    name: 'Nombre',
    id: 'Id',
    seats: 'Plazas',
    seatsOf: (used, total) => `${used} de ${total} ocupadas`,
    unlimited: (used) => count(used, { one: '# ocupada, sin máximo', other: '# ocupadas, sin máximo' }),
    cycle: 'Ciclo',
    every: {
      hour: (minute) => `Cada hora, en el minuto ${minute}`,
      day: (hour) => `Cada día, a las ${two(hour)}:00`,
      week: (day) => `Cada semana, el ${WEEKDAYS[day - 1] ?? day}`,
      month: (day) => `Cada mes, el día ${day}`,
      year: (date) => `Cada año, el día ${date % 100} del mes ${Math.floor(date / 100)}`,
    },
    next: 'Empieza el próximo ciclo',
    timeZone: 'Zona horaria',
    created: 'Creada',
  },
  orgDialog: {
    title: 'Cambiar la organización',
    nameMissing: 'Escriba un nombre.',
    numberMissing: 'Escriba un número entero.',
    seatsHelp: (used) =>
      count(used, {
        one: 'Cuántos usuarios pueden estar activos. # plaza está ocupada. Vacío: sin máximo.',
        other: 'Cuántos usuarios pueden estar activos. # plazas están ocupadas. Vacío: sin máximo.',
      }),
    every: 'Un ciclo dura',
    everyNames: { hour: 'Hora', day: 'Día', week: 'Semana', month: 'Mes', year: 'Año' },
    anchors: {
      hour: 'Empieza en el minuto (0 a 59)',
      day: 'Empieza a la hora (0 a 23)',
      week: 'Empieza el día de la semana (1 es lunes, 7 es domingo)',
      month: 'Empieza el día del mes (1 a 31)',
      year: 'Empieza el mes y día (101 es el 1 de enero)',
    },
    timeZoneHelp: 'Los días y ciclos de la organización son de esta zona.',
    cycleNote: 'Otro ciclo vale desde su propio próximo comienzo. Antes no se reinicia nada.',
  },
  plans: {
    title: 'Planes',
    add: 'Añadir plan',
    columns: {
      quota: 'Cuota',
      mode: 'Modo',
      allowance: 'Asignación por ciclo',
      extra: 'Saldo extra',
      consumed: 'Consumido',
      left: 'Queda',
    },
    next: (allowance, mode) => `después ${allowance}, ${mode.toLowerCase()}, desde el`,
    modes: {
      hard: { name: 'Estricto', means: 'Cuando todo está consumido, las peticiones se rechazan.' },
      soft: {
        name: 'Flexible',
        means: 'Cuando todo está consumido, las peticiones siguen y el exceso se cuenta.',
      },
      shadow: { name: 'En sombra', means: 'Solo se cuenta: no se rechaza a nadie.' },
    },
    topUp: 'Recargar',
    topUpOf: (quota) => `Recargar ${quota}`,
    changeOf: (quota) => `Cambiar el plan de ${quota}`,
    empty: { title: 'Aún no hay planes', text: 'Sin un plan para una cuota, sus peticiones se rechazan.' },
  },
  planDialog: {
    title: (quota) => `Plan de ${quota}`,
    addTitle: 'Añadir un plan',
    quota: 'Cuota',
    quotaHelp: 'Las de la configuración que aún no tienen plan.',
    allowance: 'Asignación por ciclo',
    allowanceHelp: 'Lo que la organización puede consumir en cada ciclo, además de su saldo extra.',
    allowanceMissing: 'Escriba un número, 0 o más.',
    mode: 'Modo',
    begins: 'Empieza',
    now: 'Ahora',
    nextCycle: (time) => `Con el próximo ciclo, ${time}`,
    submit: 'Guardar plan',
    submitBlocking: 'Guardar y bloquear',
  },
  preview: {
    pool: (pool) => `El total pasa a ${pool}.`,
    fine: (left) => `Quedarían ${left}. Nadie se bloquea.`,
    fineLater: 'Nadie se bloquea.',
    exhausted: (consumed, pool) => `Todo está consumido enseguida: ${consumed} de ${pool}.`,
    limits: (number) =>
      count(number, { one: '# límite se alcanza enseguida.', other: '# límites se alcanzan enseguida.' }),
  },
  topUpDialog: {
    title: (quota) => `Recargar ${quota}`,
    units: 'Añadir',
    unitsMissing: 'Escriba un número mayor que 0.',
    reasonHelp: 'Por ejemplo, el número del pedido. Aparece en el registro de auditoría.',
    reasonMissing: 'Diga por qué. Aparece en el registro de auditoría.',
    outcome: 'Qué cambia',
    what: 'Qué',
    now: 'Ahora',
    after: 'Después',
    pool: 'Total',
    note: 'Se consume después de la asignación, y lo que queda sigue tras el final del ciclo. Aquí no se puede retirar.',
    submit: (units) => `Añadir ${units}`,
    submitEmpty: 'Añadir',
  },
  archiveDialog: {
    title: (name) => `¿Archivar ${name}?`,
    refused: (users) =>
      count(users, {
        one: 'Todas las peticiones se rechazan enseguida, de # usuario.',
        other: 'Todas las peticiones se rechazan enseguida, de # usuarios.',
      }),
    kept: 'Usuarios, límites, claves y cifras se conservan.',
    undo: (id) => `Durante 30 días se puede restaurar. El id ${id} no se vuelve a usar.`,
  },
  restoreDialog: {
    title: (name) => `¿Restaurar ${name}?`,
    text: 'Las peticiones se admiten otra vez enseguida, con los usuarios, límites, claves y cifras de antes.',
  },
  done: {
    saved: 'Guardado.',
    planSet: 'El plan vale ahora.',
    planPlanned: 'El plan vale desde el próximo ciclo.',
    toppedUp: (units, quota) => `${units} añadidas al saldo extra de ${quota}.`,
    archived: (name) => `${name} está archivada.`,
    restored: (name) => `${name} está restaurada.`,
  },
};
