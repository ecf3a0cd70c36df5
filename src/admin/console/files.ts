/** The files of the built console: read once, into memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { etagOf } from '../http/etag.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
/** Images and fonts are compressed already. */
const COMPRESSED = /^(image\/(png|x-icon)|font\/)/;
/** Names of files in it contain a hash of their content. */
const HASHED = /^assets\//;

export const INDEX = 'index.html';

export type Coding = 'br' | 'gzip' | 'identity';

const PACK: Readonly<Record<Exclude<Coding, 'identity'>, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }),
  gzip: (body) => promisify(gzip)(body, { level: 9 }),
};

export class ConsoleFile {
  readonly type: string;
  readonly etag: string;
  /** The content of this name never changes. */
  readonly isImmutable: boolean;
  private readonly packed = new Map<Coding, Promise<Buffer>>();

  constructor(
    name: string,
    private readonly body: Buffer,
  ) {
    this.type = TYPES[extname(name)] ?? 'application/octet-stream';
    this.etag = etagOf(body.toString('latin1'));
    this.isImmutable = HASHED.test(name);
  }

  get isCompressible(): boolean {
    return !COMPRESSED.test(this.type);
  }

  /** Compressed outside the event loop by the first request that takes the coding. */
  in(coding: Coding): Buffer | Promise<Buffer> {
    if (coding === 'identity') return this.body;
    const packed = this.packed.get(coding) ?? PACK[coding](this.body);
    this.packed.set(coding, packed);
    return packed;
  }
}

/** By path below the folder, with `/`. Empty if the console is not built. */
export function readConsole(folder: string): Map<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  for (const entry of entriesOf(folder)) {
    const name = relative(folder, entry).split(sep).join('/');
    files.set(name, new ConsoleFile(name, readFileSync(entry)));
  }
  return files;
}

function entriesOf(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
