/** CPU time of processes: on a shared machine it is more stable than requests per second. */
import { readFileSync } from 'node:fs';

/** USER_HZ: the unit of /proc, the same on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
const TICK_US = 1_000_000 / TICKS_PER_SECOND;

/** utime and stime are fields 14 and 15 of /proc/<pid>/stat; the name before them may contain spaces but ends with `)`. */
function cpuUsOf(pid: number): number {
  if (pid === process.pid) return ownCpuUs();
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** The same for this process, with a better resolution than 10 ms. */
function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** A process and all its descendants, such as the workers of a master. */
export function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => treeOf(Number(child))))];
}

function sumOf(pids: number | readonly number[]): number {
  return typeof pids === 'number' ? cpuUsOf(pids) : pids.reduce((sum, pid) => sum + cpuUsOf(pid), 0);
}

/** Returns a function that gives the CPU µs since now, by name. A name may stand for several processes. */
export function watchCpu<Name extends string>(
  pids: Record<Name, number | readonly number[]>,
): () => Record<Name, number> {
  const names = Object.keys(pids) as Name[];
  const before = new Map(names.map((name) => [name, sumOf(pids[name])]));
  return () => {
    const spent = names.map((name) => [name, sumOf(pids[name]) - (before.get(name) ?? 0)]);
    return Object.fromEntries(spent) as Record<Name, number>;
  };
}

/** Resident memory, in bytes. */
export function residentOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return sum + Number(line?.[1] ?? 0) * 1_024;
  }, 0);
}
