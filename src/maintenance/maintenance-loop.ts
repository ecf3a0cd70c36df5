/** Runs rounds of maintenance, one after the other. */
import { type MaintenanceOptions, maintenanceRounds } from './rounds.js';

export interface MaintenanceLoop {
  close(): Promise<void>;
}

export function startMaintenance(options: MaintenanceOptions): MaintenanceLoop {
  const { ledger, everyMs, onError } = options;
  const rounds = maintenanceRounds(options);
  let underWay: Promise<void> | undefined;

  const timer = setInterval(() => {
    if (underWay !== undefined || !ledger.ready) return;
    underWay = rounds
      .round()
      .catch(onError)
      .finally(() => {
        underWay = undefined;
      });
  }, everyMs);

  return {
    async close() {
      clearInterval(timer);
      rounds.close();
      await underWay;
    },
  };
}
