import { pluralIn } from '../plural.js';
import type { Texts } from '../texts.js';

const count = pluralIn('es');

export const groups: Texts['groups'] = {
  title: 'Grupos',
  about:
    'El límite de un grupo es un techo para lo que sus miembros consumen juntos. Todos los grupos de un usuario se aplican a la vez.',
  create: 'Crear grupo',
  search: 'Buscar grupos',
  quota: 'Cuota de las cifras',
  caption: (quota) => `Grupos, con sus cifras de ${quota}`,
  empty: {
    title: 'Todavía no hay grupos',
    text: 'Cree uno para dar a varios usuarios un límite que comparten.',
  },
  columns: {
    group: 'Grupo',
    members: 'Miembros',
    limit: 'Límite',
    consumed: 'Consumido en conjunto',
    left: 'Queda',
    status: 'Estado',
  },
  noLimit: 'Sin límite',
  members: (number) => count(number, { one: '# miembro', other: '# miembros' }),
  actionsFor: (name) => `Acciones para ${name}`,
  acts: {
    rename: 'Renombrar',
    setLimit: 'Fijar límite',
    changeLimit: 'Cambiar límite',
    delete: 'Eliminar grupo',
  },
  dialog: {
    title: 'Crear grupo',
    renameTitle: (name) => `Renombrar ${name}`,
    id: 'Id del grupo',
    idHelp: 'Letras, cifras, puntos, guiones y guiones bajos. No se puede cambiar después.',
    idMissing: 'Escriba la id del grupo.',
    name: 'Nombre',
    nameMissing: 'Escriba un nombre.',
    submit: 'Crear grupo',
    save: 'Guardar',
  },
  deleteDialog: {
    title: (name) => `¿Eliminar ${name}?`,
    members: (number) =>
      count(number, {
        one: '# miembro deja el grupo; el usuario se conserva.',
        other: '# miembros dejan el grupo; los usuarios se conservan.',
      }),
    limits: (limits) =>
      `Se eliminan sus límites: ${limits}. Quien está bloqueado por ellos puede seguir al instante.`,
    noLimits: 'No tiene límite, así que nadie puede consumir más ni menos que antes.',
    kept: 'Lo que los miembros han consumido sigue contando.',
  },
  page: {
    tab: { members: 'Miembros', consumption: 'Consumo' },
    addMember: 'Añadir miembro',
    search: 'Buscar miembros',
    caption: (name) => `Miembros de ${name}`,
    empty: 'Todavía no hay miembros',
    emptyText: 'Añada usuarios: los límites del grupo se les aplican en conjunto.',
    together: 'en conjunto',
  },
  add: {
    title: (name) => `Añadir un miembro a ${name}`,
    user: 'Usuario',
    userMissing: 'Elija un usuario de la lista.',
    has: 'Ya es miembro',
    blocks: (name, quotas) =>
      `${name} queda bloqueado al instante en ${quotas} por los límites de este grupo.`,
    submit: 'Añadir miembro',
    submitBlocking: 'Añadir y bloquear',
  },
  removeMember: {
    act: 'Sacar del grupo',
    title: (name, group) => `¿Sacar a ${name} de ${group}?`,
    text: (name) =>
      `Los límites de este grupo dejan de aplicarse a ${name}. El usuario se conserva, con sus límites propios.`,
  },
  done: {
    created: (name) => `${name} está creado.`,
    renamed: (name) => `El grupo se llama ahora ${name}.`,
    deleted: (name) => `${name} está eliminado.`,
    joined: (name) => `${name} es miembro.`,
    left: (name) => `${name} ya no es miembro.`,
  },
};
