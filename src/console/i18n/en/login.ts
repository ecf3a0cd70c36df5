export const login = {
  title: 'Log in',
  about: 'Console of the quotas of your organization',
  token: 'Admin token',
  tokenHelp: 'It begins with qga_. An admin creates it in the console, or with “quotagate token create”.',
  tokenMissing: 'Paste a token.',
  submit: 'Log in',
  withOidc: 'Log in with your company account',
  problems: {
    'token-invalid': 'This token is unknown, expired or revoked.',
    'login-code-invalid': 'This login link is used up or older than 5 minutes. Log in with a token.',
    'login-insecure':
      'Browsers keep no session over plain HTTP. Open the console over HTTPS or on localhost.',
    'oidc-token-invalid': 'Your company account has no access here. Ask an admin to grant it.',
    'oidc-login-code-invalid': 'The login took too long, or was begun in another browser. Try again.',
    'oidc-identity-unavailable': 'The identity provider does not answer. Try again, or log in with a token.',
    'session-forbidden': 'The admin API does not accept logins from this address.',
  },
  relogin: {
    title: 'Your session has ended',
    text: (who: string) =>
      `Log in again as ${who}. What you typed is kept, and the page goes on where it was.`,
    other: 'Leave, and log in as someone else',
  },
};
