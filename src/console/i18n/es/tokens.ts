import { pluralIn } from '../plural.js';
import type { Texts } from '../texts.js';

const count = pluralIn('es');

export const tokens: Texts['tokens'] = {
  title: 'Tokens de administración',
  about:
    'Con un token se inicia sesión aquí y los programas llaman a la API de administración. Los que llegan más lejos que el suyo no aparecen.',
  create: 'Crear token',
  search: 'Buscar tokens',
  caption: 'Tokens de administración',
  empty: {
    title: 'Aún no hay tokens',
    text: 'El token de la configuración no aparece. Cree uno para cada persona y programa.',
  },
  columns: { name: 'Token', role: 'Rol', orgs: 'Organizaciones' },
  own: 'El suyo',
  allOrgs: 'Todas, también las futuras',
  moreOrgs: (number) => count(number, { one: 'y # más', other: 'y # más' }),
  roles: {
    viewer: { name: 'Lector', may: 'Lo ve todo, no cambia nada.' },
    'quota-manager': {
      name: 'Gestor de cuotas',
      may: 'Cambia usuarios, grupos, límites y avisos, y libera lo que está en curso.',
    },
    admin: {
      name: 'Administrador',
      may: 'Lo cambia todo: también planes, claves, tokens y la organización.',
    },
    scim: { name: 'SCIM', may: 'Solo para un proveedor de identidad que mantiene usuarios y grupos.' },
  },
  dialog: {
    title: 'Crear token de administración',
    name: 'Nombre',
    nameHelp: 'Quién o qué lo usa. El registro de auditoría muestra este nombre.',
    nameMissing: 'Escriba un nombre.',
    role: 'Rol',
    reach: 'Alcance',
    someOrgs: 'Solo algunas organizaciones',
    allHelp: 'Llega a todas las organizaciones, ahora y después.',
    orgs: 'Organizaciones',
    orgsHelp: 'Sus ids, separados por comas.',
    orgsMissing: 'Escriba al menos una organización.',
    submit: 'Crear token',
  },
  made: {
    title: 'Token de administración creado',
    label: 'Token de administración',
    text: 'Quien lo tiene puede hacer lo que permite su rol. Envíelo solo por un canal seguro.',
  },
  deleteDialog: {
    title: (name) => `¿Eliminar el token ${name}?`,
    text: 'Su próxima petición se rechaza, y las sesiones iniciadas con él terminan enseguida.',
    own: 'Usted ha iniciado sesión con este token: su sesión también termina.',
  },
  done: { deleted: (name) => `Token ${name} eliminado.` },
};
