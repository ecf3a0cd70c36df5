/** nginx with one worker: as a plain proxy, and with Lua and Redis, one EVALSHA per request. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { USERS } from '../gateway/config.js';
import { openConnection } from '../lib/connection.js';
import { freePort, startProgram } from '../lib/server.js';
import { onPath, type Peer } from './peer.js';

const MODULES = '/usr/lib/nginx/modules';
/** The sources: compiled, this lies in dist/bench/peers. */
const HERE = fileURLToPath(new URL('../../../bench/peers', import.meta.url));

const command = onPath('nginx', '/usr/sbin');
const lacksNginx = command === undefined ? 'nginx is not installed' : undefined;
const lacksLua = existsSync(join(MODULES, 'ngx_http_lua_module.so'))
  ? undefined
  : 'nginx has no Lua (libnginx-mod-http-lua)';

interface Flavour {
  readonly modules: string;
  readonly http: string;
  readonly access: string;
}

function configOf(
  folder: string,
  port: number,
  upstream: string,
  { modules, http, access }: Flavour,
): string {
  return `
${modules}
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  ${http}
  upstream up { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      ${access}
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
}

async function startNginx(
  name: string,
  folder: string,
  upstream: string,
  flavour: Flavour,
): ReturnType<Peer['start']> {
  const port = await freePort();
  const own = join(folder, name.replaceAll(/\W+/g, '-'));
  const file = join(own, 'nginx.conf');
  mkdirSync(own, { recursive: true });
  writeFileSync(file, configOf(own, port, upstream, flavour));
  return startProgram({ name, command: command ?? '', args: ['-p', own, '-c', file], port });
}

export const bareNginx: Peer = {
  name: 'nginx, bare proxy',
  lacks: lacksNginx,
  start: ({ folder, upstream }) =>
    startNginx('nginx, bare proxy', folder, upstream, { modules: '', http: '', access: '' }),
};

export const luaNginx: Peer = {
  name: 'nginx + Lua + Redis',
  lacks: lacksNginx ?? lacksLua,
  async start({ folder, upstream, redis }) {
    await seed(redis.url);
    const sha = createHash('sha1')
      .update(readFileSync(join(HERE, 'decide.lua'), 'utf8'))
      .digest('hex');
    return startNginx('nginx + Lua + Redis', folder, upstream, {
      modules: ['ndk_http', 'ngx_http_lua']
        .map((one) => `load_module ${MODULES}/${one}_module.so;`)
        .join('\n'),
      http: `lua_package_path '${HERE}/?.lua;/usr/share/lua/5.1/?.lua;;';
  init_by_lua_block { check = require('quota'); source = io.open('${HERE}/decide.lua'):read('*a') }`,
      access: `access_by_lua_block { check('${redis.socket}', source, '${sha}') }`,
    });
  },
};

/** The same limits as the gateways have. */
async function seed(url: string): Promise<void> {
  const connection = await openConnection(url);
  const limits = ['g:g1', '900000000000', 'o', '1000000000000'];
  for (let user = 0; user < USERS; user += 1) limits.push(`u:u${user}`, '1000000000');
  await connection.send('hset', ['peer:{bench}:limits', ...limits]);
  await connection.close();
}
