import type { Texts } from '../texts.js';

export const login: Texts['login'] = {
  title: 'Iniciar sesión',
  about: 'Consola de las cuotas de su organización',
  token: 'Token de administración',
  tokenHelp: 'Empieza por qga_. Lo crea un administrador en la consola o con «quotagate token create».',
  tokenMissing: 'Pegue un token.',
  submit: 'Iniciar sesión',
  withOidc: 'Entrar con la cuenta de su empresa',
  problems: {
    'token-invalid': 'Este token es desconocido, ha caducado o está revocado.',
    'login-code-invalid': 'Este enlace ya se ha usado o tiene más de 5 minutos. Entre con un token.',
    'login-insecure':
      'Los navegadores no guardan sesiones con HTTP simple. Abra la consola por HTTPS o en localhost.',
    'oidc-token-invalid': 'La cuenta de su empresa no tiene acceso. Pídalo a un administrador.',
    'oidc-login-code-invalid': 'El inicio tardó demasiado o empezó en otro navegador. Inténtelo de nuevo.',
    'oidc-identity-unavailable':
      'El proveedor de identidad no responde. Inténtelo de nuevo o entre con un token.',
    'session-forbidden': 'La API de administración no acepta inicios de sesión desde esta dirección.',
  },
  relogin: {
    title: 'Su sesión ha terminado',
    text: (who) =>
      `Entre de nuevo como ${who}. Lo que ha escrito se conserva y la página sigue donde estaba.`,
    other: 'Salir y entrar como otra persona',
  },
};
