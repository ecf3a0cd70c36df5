import type { Texts } from '../texts.js';

export const keys: Texts['keys'] = {
  title: 'Claves de API',
  about:
    'Con una clave, un programa envía peticiones como usuario de esta organización. Cuentan para ese usuario.',
  create: 'Crear clave',
  search: 'Buscar claves',
  caption: 'Claves de API de la organización',
  columns: { name: 'Clave', user: 'Usuario' },
  empty: {
    title: 'Aún no hay claves de API',
    text: 'Cree una para cada programa que envía peticiones; así cada una se puede eliminar por separado.',
  },
  dialog: {
    title: 'Crear clave de API',
    user: 'Usuario',
    userHelp: 'Las peticiones cuentan para este usuario, con todos sus límites.',
    userMissing: 'Elija un usuario de la lista.',
    notActive: 'No está activo: sus peticiones se rechazarían',
    name: 'Nombre',
    nameHelp: 'Dónde se usa la clave, para encontrarla después.',
    submit: 'Crear clave',
  },
  made: {
    title: 'Clave de API creada',
    label: 'Clave de API',
    text: 'Guárdela donde el programa lee sus secretos.',
  },
  deleteDialog: {
    title: (name) => `¿Eliminar la clave ${name}?`,
    text: (user) => `La próxima petición con esta clave se rechaza. Envía peticiones como ${user}.`,
    kept: 'No se puede restaurar. Lo que se consumió con ella sigue contado.',
  },
  done: { deleted: (name) => `Clave ${name} eliminada.` },
};
