/**
 * Certificate and key of a listener, read again when their files change and on request. An invalid pair is refused as a
 * whole, and the old pair stays in use: a certificate that is written before its key must not break TLS.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, type StatsListener, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Pair {
  readonly cert: string;
  readonly key: string;
  /** Expiry of the certificate, in ms since 1970. */
  readonly endsAt: number;
}

export interface CertificateOptions {
  readonly files: CertificateFiles;
  /** Called with each pair that differs from the previous one. */
  readonly onPair: (pair: Pair) => void;
  readonly onRefused: (error: unknown) => void;
}

/** Polled: a Secret that Kubernetes mounts changes through a symbolic link, which a file watch does not see. */
const LOOK_EVERY_MS = 1_000;

export class Certificate {
  private last: Pair;
  private readonly onChange: StatsListener = () => this.reload();

  /** Throws if the files cannot be read. */
  constructor(private readonly options: CertificateOptions) {
    this.last = readPair(options.files);
    for (const file of this.files)
      watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, this.onChange);
  }

  get pair(): Pair {
    return this.last;
  }

  reload(): void {
    try {
      const pair = readPair(this.options.files);
      if (pair.cert === this.last.cert && pair.key === this.last.key) return;
      this.last = pair;
      this.options.onPair(pair);
    } catch (error) {
      this.options.onRefused(error);
    }
  }

  close(): void {
    for (const file of this.files) unwatchFile(file, this.onChange);
  }

  private get files(): string[] {
    return [this.options.files.cert, this.options.files.key];
  }
}

export function readPair(files: CertificateFiles): Pair {
  try {
    const cert = readFileSync(files.cert, 'utf8');
    const key = readFileSync(files.key, 'utf8');
    // Throws if either is invalid, or if they do not match.
    createSecureContext({ cert, key });
    return { cert, key, endsAt: Date.parse(new X509Certificate(cert).validTo) };
  } catch (error) {
    throw new Error(`The certificate ${files.cert} and the key ${files.key} cannot be used`, {
      cause: error,
    });
  }
}
