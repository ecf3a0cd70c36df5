/** The commands of this program as the user runs them, so that those in a message work when pasted. */
import type { Environment } from '../config/environment.js';

export function ownCommand(environment: Environment, command: 'serve' | 'demo', options = ''): string {
  const { npm_lifecycle_event: script, npm_package_name: owner } = environment;
  const given = options === '' ? '' : ` ${options}`;
  if (script === 'npx') return `npx quotagate ${command}${given}`;
  if (script === undefined || owner !== 'quotagate') return `quotagate ${command}${given}`;
  const inClone = command === 'serve' ? 'npm start' : 'npm run demo';
  return given === '' ? inClone : `${inClone} --${given}`;
}
