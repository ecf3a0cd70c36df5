import type { Texts } from '../texts.js';

export const shell: Texts['shell'] = {
  skip: 'Ir al contenido',
  sidebar: 'Organización y navegación',
  navigation: 'Principal',
  search: 'Buscar',
  more: 'Más',
  less: 'Menos',
  paletteLabel: 'Página, usuario o grupo',
  paletteHelp: 'Las flechas eligen, Intro abre.',
  sections: { watch: 'Observar', manage: 'Gestionar', settings: 'Ajustes' },
  themes: { system: 'Tema del sistema', light: 'Claro', dark: 'Oscuro' },
  connection: { live: 'En directo', paused: 'En pausa', lost: 'Sin conexión, reintentando' },
  orgs: 'Organizaciones',
  orgName: 'Nombre o id',
  switchOrg: (name) => `Organización: ${name}. Cambiar`,
  userMenu: (who) => `${who}: tema, idioma, cerrar sesión`,
};
