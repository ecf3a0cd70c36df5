/** CPU time of processes: the figure that stays steady on a shared machine, where requests a second do not. */
import { readFileSync } from 'node:fs';

/** USER_HZ: what /proc counts in, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const TICK_US = 1_000_000 / TICKS_PER_SECOND;

/** utime and stime stand 14th and 15th in /proc/<pid>/stat; the name before them may hold spaces, but ends with `)`. */
export function cpuUsOf(pid: number): number {
  if (pid === process.pid) return ownCpuUs();
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** The same for this process, without the grain of 10 ms. */
function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Starts counting; the answer gives CPU µs per name since then. */
export function watchCpu<Name extends string>(pids: Record<Name, number>): () => Record<Name, number> {
  const names = Object.keys(pids) as Name[];
  const before = new Map(names.map((name) => [name, cpuUsOf(pids[name])]));
  return () => {
    const spent = names.map((name) => [name, cpuUsOf(pids[name]) - (before.get(name) ?? 0)]);
    return Object.fromEntries(spent) as Record<Name, number>;
  };
}
