/**
 * Events as JSON lines, in a file of this process: several processes may share the folder. A batch counts as delivered once it is synced
 * to the disk. Only the last line of a file can be incomplete, after a kill: its event comes again in another file.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ExportError, reasonOf, type Target } from '../target.js';

export interface FileTargetOptions {
  readonly name: string;
  readonly folder: string;
  /** A file that has so many bytes gets no more batches. */
  readonly bytesMax: number;
  /** Time in ms; Date.now unless tests inject another. */
  readonly clock?: () => number;
}

const BATCH_EVENTS = 500;
const DAY = 'YYYY-MM-DD'.length;
const MODE = 0o640;

interface OpenFile {
  readonly handle: FileHandle;
  /** UTC. */
  readonly day: string;
  bytes: number;
}

class FileTarget implements Target {
  readonly name: string;
  readonly batchEvents = BATCH_EVENTS;
  private file: OpenFile | undefined;
  /** One batch at a time. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: FileTargetOptions) {
    this.name = options.name;
  }

  send(events: readonly string[]): Promise<void> {
    const sent = this.last.then(() => this.write(Buffer.from(events.map((event) => `${event}\n`).join(''))));
    this.last = sent.catch(() => undefined);
    return sent;
  }

  async close(): Promise<void> {
    await this.last;
    await this.leave();
  }

  private async write(lines: Buffer): Promise<void> {
    try {
      const file = await this.current();
      await file.handle.appendFile(lines);
      await file.handle.datasync();
      file.bytes += lines.length;
    } catch (error) {
      await this.takeBack().catch(() => undefined);
      throw new ExportError(`the events were not written: ${reasonOf(error)}`);
    }
  }

  private async current(): Promise<OpenFile> {
    const at = new Date((this.options.clock ?? Date.now)()).toISOString();
    const day = at.slice(0, DAY);
    const { file } = this;
    if (file !== undefined && file.day === day && file.bytes < this.options.bytesMax) return file;
    await this.leave();
    const { folder, name } = this.options;
    await mkdir(folder, { recursive: true });
    const time = at.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replaceAll(':', '');
    const path = join(folder, `${name}-${time}Z-${randomBytes(4).toString('hex')}.jsonl`);
    this.file = { handle: await open(path, 'ax', MODE), day, bytes: 0 };
    await syncFolder(folder);
    return this.file;
  }

  private async leave(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.handle.close();
  }

  /** Removes a batch that was written in part. The next one goes to another file, in case this one cannot be written any more. */
  private async takeBack(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    try {
      await file?.handle.truncate(file.bytes);
    } finally {
      await file?.handle.close();
    }
  }
}

/** The name of a new file is on the disk once its folder is synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}

export function fileTarget(options: FileTargetOptions): Target {
  return new FileTarget(options);
}
