/** A real Prometheus that scrapes one gateway, with rules, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort, waitFor } from './redis-node.js';

export interface PrometheusOptions {
  /** `host:port` that is scraped as the job `quotagate`. */
  readonly target: string;
  /** Path of a file. */
  readonly rules: string;
}

/** One line of a chart: its labels, and its values over time. */
export interface Line {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

const SCRAPE_MS = 500;

export class Prometheus {
  private constructor(
    private readonly url: string,
    private readonly startedAt: number,
  ) {}

  static async start(t: Test, { target, rules }: PrometheusOptions): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-prometheus-'));
    const config = {
      global: {
        scrape_interval: `${SCRAPE_MS}ms`,
        scrape_timeout: `${SCRAPE_MS}ms`,
        evaluation_interval: '1s',
      },
      rule_files: [rules],
      scrape_configs: [{ job_name: 'quotagate', static_configs: [{ targets: [target] }] }],
    };
    const file = join(folder, 'prometheus.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ];
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    t.teardown(() => end(child, folder));
    const prometheus = new Prometheus(`http://${address}`, Date.now());
    await waitFor('Prometheus has scraped', () => prometheus.hasScraped());
    return prometheus;
  }

  /** As Grafana draws it, from the start until now. Throws if Prometheus refuses the query. */
  async lines(query: string): Promise<readonly Line[]> {
    const seconds = (ms: number): string => String(ms / 1_000);
    const range = { start: seconds(this.startedAt), end: seconds(Date.now()), step: '0.5' };
    const data = await this.get('query_range', { query, ...range });
    const { result } = data as { result: { metric: Line['metric']; values: [number, string][] }[] };
    return result.map(({ metric, values }) => ({ metric, values: values.map(([, value]) => Number(value)) }));
  }

  /** Values of a label, as a variable of Grafana offers them. */
  async labelValues(label: string, selector: string): Promise<readonly string[]> {
    return (await this.get(`label/${label}/values`, { 'match[]': selector })) as string[];
  }

  async rules(): Promise<readonly RuleState[]> {
    const { groups } = (await this.get('rules', {})) as { groups: { rules: RuleState[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  private async get(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { status, data, error } = (await answer.json()) as {
      status: string;
      data: unknown;
      error?: string;
    };
    if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }

  private async hasScraped(): Promise<boolean> {
    return (await this.lines('up')).some(({ values }) => values.includes(1));
  }
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
