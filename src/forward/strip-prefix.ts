/** Removes the path prefix that only the gateway uses. */
import type { Forwarder } from './forwarder.js';

/** Every path here starts with `prefix`: `/v3` turns `/v3/maps` into `/maps`, and `/v3` itself into `/`. */
export function stripPrefix(forward: Forwarder['forward'], prefix: string): Forwarder['forward'] {
  const { length } = prefix;
  return (job, done) => {
    const rest = job.path.slice(length);
    return forward({ ...job, path: rest.startsWith('/') ? rest : `/${rest}` }, done);
  };
}
