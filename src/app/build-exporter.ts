/** Builds what exports the journal, from a config. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Config, ExportConfig } from '../config/schema.js';
import { headerValue, passwordIn } from '../config/secret.js';
import { createExporter, type Exporter } from '../export/exporter.js';
import type { Target } from '../export/target.js';
import { fileTarget } from '../export/targets/file.js';
import { httpTarget } from '../export/targets/http.js';
import type { Ledger } from '../ledger/port.js';
import type { Metrics } from '../observe/metrics.js';

export interface ExporterParts {
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onError: (error: unknown) => void;
}

const MIB = 1_048_576;

/** Throws if a file of the config cannot be read. */
export function buildExporter(config: Config, { ledger, metrics, logger, onError }: ExporterParts): Exporter {
  const { exports, source, keepMiB } = config.journal;
  return createExporter({
    ledger,
    quotas: new Map(Object.entries(config.quotas)),
    targets: Object.entries(exports).map(([name, target]) => targetOf(name, target)),
    source,
    keepBytes: keepMiB * MIB,
    observer: metrics.exports.observer({
      logger,
      targets: Object.keys(exports),
      alarm: () => metrics.process.alarm('journal-entries-lost'),
    }),
    onError,
  });
}

function targetOf(name: string, config: ExportConfig): Target {
  if ('folder' in config) return fileTarget({ name, folder: config.folder, bytesMax: config.maxMiB * MIB });
  const { bearerFile, secretFile, caFile, ...http } = config;
  return httpTarget({
    ...http,
    name,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    bearer: bearerFile === undefined ? undefined : () => bearerIn(bearerFile),
    secret: secretFile === undefined ? undefined : () => passwordIn(secretFile),
  });
}

export function bearerIn(file: string): string {
  return headerValue('authorization', { file }, {});
}
