/** Open mode as the config states it: what each route admits without the store, and how an outage is logged. */
import type { Logger } from 'pino';
import type { Config, RouteConfig } from '../config/schema.js';
import type { OpenBound, OpenEvent } from '../ledger/batching/index.js';
import { configUnits, decimalsOf, formatUnits } from '../quota/units.js';

/** Undefined where the route is closed while the store is down. */
export function openBoundOf(route: RouteConfig, { store, quotas }: Config): OpenBound | undefined {
  const own = 'whenDown' in route ? route.whenDown : undefined;
  const whenDown = own ?? ('embedded' in store ? 'closed' : store.whenDown);
  if (whenDown === 'closed') return undefined;
  const { units, seconds } = whenDown.open;
  const byQuota = Object.keys(quotas).map((quota) => [quota, configUnits(units, quotas, quota)]);
  return { units: Object.fromEntries(byQuota), lastMs: seconds * 1_000 };
}

/** The beginning and the end of each outage are logged, with what went through; the rest is for metrics. */
export function logOpenMode(logger: Logger, quotas: Config['quotas']): (event: OpenEvent) => void {
  return (event) => {
    if (event.kind === 'began')
      logger.warn(
        { event: 'open_mode_began' },
        'The store gives no decisions; open routes admit requests without it, within their bound.',
      );
    if (event.kind !== 'ended') return;
    const { lastedMs, admitted, refused } = event;
    const units = Object.entries(event.units).map(([quota, sum]) => [
      quota,
      formatUnits(sum, decimalsOf(quotas, quota)),
    ]);
    logger.info(
      { event: 'open_mode_ended', lastedMs, admitted, refused, units: Object.fromEntries(units) },
      'The store decides again; what open routes admitted meanwhile is being charged.',
    );
  };
}
