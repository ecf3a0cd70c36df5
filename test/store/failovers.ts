/** The fail-overs of `npm run faults`. */
import { SentinelSet } from '../support/sentinel.js';
import { type FailoverTrial, tryFailover } from './failover.js';

interface Failover {
  readonly name: string;
  run(): Promise<FailoverTrial>;
}

async function onSentinels(options: Parameters<typeof tryFailover>[1]): Promise<FailoverTrial> {
  const set = await SentinelSet.start();
  try {
    return await tryFailover(set, options);
  } finally {
    await set.close();
  }
}

export const FAILOVERS: readonly Failover[] = [
  { name: 'sentinel: master killed', run: () => onSentinels({}) },
  { name: 'sentinel: master killed, calls lost', run: () => onSentinels({ lostMs: 1_000 }) },
  { name: 'sentinel: master hangs', run: () => onSentinels({ signal: 'SIGSTOP' }) },
];
