/** `npm run client`: generates the types of the client of the admin API from its OpenAPI document. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { GENERATOR, generate, TYPES } from './types.js';

if (!existsSync(`${GENERATOR}/node_modules`))
  execFileSync('npm', ['ci', '--silent', '--prefix', GENERATOR], { stdio: 'inherit' });
writeFileSync(TYPES, generate());
