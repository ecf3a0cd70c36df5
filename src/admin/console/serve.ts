/** Serves the console at `/console/`: the built files, and the page itself for every other path below it, which it shows by itself. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../errors/catalogue.js';
import { matchesEtag } from '../http/etag.js';
import { notFound } from '../http/problems.js';
import { type Coding, type ConsoleFile, INDEX, readConsole } from './files.js';

const PREFIX = '/console/';
const ASSETS = 'assets/';
const FOLDER = join(createRequire(import.meta.url).resolve('quotagate/package.json'), '../dist/console');

/** Nothing from elsewhere, nothing inline, and no other page may embed it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-frame-options': 'DENY',
};

const IMMUTABLE = 'public, max-age=31536000, immutable';
/** It is asked for each time, and answered with 304 while it is the same. */
const REVALIDATED = 'no-cache';

export function serveConsole(app: FastifyInstance, folder = FOLDER): void {
  const files = readConsole(folder);
  for (const path of ['/', '/console']) app.get(path, (_request, reply) => reply.redirect(PREFIX));
  app.get(`${PREFIX}*`, async (request, reply) => {
    reply.headers(HEADERS);
    return sendFile(fileOf(files, (request.params as { readonly '*': string })['*']), request, reply);
  });
}

/** Ids in addresses may contain dots, so only what is below `assets/` is certainly a file. */
function fileOf(files: ReadonlyMap<string, ConsoleFile>, path: string): ConsoleFile {
  const index = files.get(INDEX);
  if (index === undefined)
    throw new ProblemError(
      'not-found',
      'The console is not part of this build: run `npm run build`, which writes it to dist/console',
    );
  const file = files.get(path);
  if (file === undefined && path.startsWith(ASSETS)) throw notFound(`file ${path}`);
  return file ?? index;
}

async function sendFile(file: ConsoleFile, { headers }: FastifyRequest, reply: FastifyReply) {
  const { type, etag, isImmutable, isCompressible } = file;
  reply.header('cache-control', isImmutable ? IMMUTABLE : REVALIDATED).header('etag', etag);
  if (isCompressible) reply.header('vary', 'accept-encoding');
  if (matchesEtag(headers['if-none-match'], etag)) return reply.code(304).send();
  const coding = isCompressible ? codingFor(headers['accept-encoding']) : 'identity';
  if (coding !== 'identity') reply.header('content-encoding', coding);
  return reply.type(type).send(await file.in(coding));
}

function codingFor(accepted = ''): Coding {
  const names = accepted
    .split(',')
    .filter((one) => !/;\s*q=0(\.0*)?\s*$/i.test(one))
    .map((one) => one.replace(/;.*/s, '').trim().toLowerCase());
  return names.includes('br') ? 'br' : names.includes('gzip') ? 'gzip' : 'identity';
}
