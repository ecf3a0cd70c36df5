/** Open mode as the config states it: what each route admits without the store, and how an outage is logged. */
import type { Logger } from 'pino';
import type { Config, RouteConfig } from '../config/schema.js';
import type { OpenBound, OpenEvent } from '../ledger/batching/index.js';
import { configUnits, decimalsOf, formatUnits } from '../quota/units.js';

/** Undefined if the route refuses requests while the store is down. */
export function openBoundOf(route: RouteConfig, { store, quotas }: Config): OpenBound | undefined {
  const own = 'whenDown' in route ? route.whenDown : undefined;
  const whenDown = own ?? ('embedded' in store ? 'closed' : store.whenDown);
  if (whenDown === 'closed') return undefined;
  const { units, seconds } = whenDown.open;
  const byQuota = Object.keys(quotas).map((quota) => [quota, configUnits(units, quotas, quota)]);
  return { units: Object.fromEntries(byQuota), lastMs: seconds * 1_000 };
}

/** Logs the beginning and the end of each outage with the admitted units; everything else goes to metrics. */
export function logOpenMode(logger: Logger, quotas: Config['quotas']): (event: OpenEvent) => void {
  return (event) => {
    if (event.kind === 'began')
      logger.warn(
        { event: 'open_mode_began' },
        'The store makes no decisions; routes in open mode admit requests without it, within their limit.',
      );
    if (event.kind !== 'ended') return;
    const { lastedMs, admitted, refused } = event;
    const units = Object.entries(event.units).map(([quota, sum]) => [
      quota,
      formatUnits(sum, decimalsOf(quotas, quota)),
    ]);
    logger.info(
      { event: 'open_mode_ended', lastedMs, admitted, refused, units: Object.fromEntries(units) },
      'The store makes decisions again; everything that open mode admitted is being charged.',
    );
  };
}
