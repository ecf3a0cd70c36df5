/** Paths without the part by which only the gateway knows them. */
import type { Forwarder } from './forwarder.js';

/** `prefix` stands before every path that comes here: `/v3` makes `/v3/maps` `/maps`, and `/v3` itself `/`. */
export function stripPrefix(forward: Forwarder['forward'], prefix: string): Forwarder['forward'] {
  const { length } = prefix;
  return (job, done) => {
    const rest = job.path.slice(length);
    return forward({ ...job, path: rest.startsWith('/') ? rest : `/${rest}` }, done);
  };
}
