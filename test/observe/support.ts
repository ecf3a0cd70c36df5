/** Reads what a gateway tells Prometheus. */
import type { Test } from 'tap';
import { comesTo } from '../e2e/load.js';
import { ask } from '../support/gateway.js';

export interface Scrape {
  readonly text: string;
  /** By the name with its labels. */
  readonly values: ReadonlyMap<string, number>;
}

export async function metricsOf(ops: string): Promise<Scrape> {
  const { body } = await ask(ops, '/metrics');
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const values = lines.map((line) => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))] as const;
  });
  return { text: body, values: new Map(values) };
}

/** What is counted after an answer is there a moment later. */
export async function comesToBe(t: Test, ops: string, wanted: Record<string, number>): Promise<void> {
  const look = async () => {
    const { values } = await metricsOf(ops);
    return Object.fromEntries(Object.keys(wanted).map((name) => [name, values.get(name)]));
  };
  await comesTo(t, look as () => Promise<Record<string, number>>, wanted, Object.keys(wanted).join(', '));
}
