/** What the metrics are built for, and the state they read when Prometheus scrapes. */

export interface MetricsOptions {
  /** Decimals by quota: units are shown in outer units. */
  readonly quotas: Readonly<Record<string, { readonly decimals: number }>>;
  /** Undefined until the state exists. */
  readonly state: () => State | undefined;
}

export interface State {
  readonly ready: boolean;
  readonly storeReady: boolean;
  /** The store's clock shows an impossible time. */
  readonly clockRefused: boolean;
  readonly requestsInFlight: number;
  /** Settlements, refunds and charges that the store has not confirmed. */
  readonly backlog: number;
  readonly batcher: BatcherState;
  /** Calls of earlier processes that are being delivered. */
  readonly spooled: number;
  /** Orgs whose data is missing. */
  readonly lost: readonly string[];
  readonly open: OpenState;
}

export interface OpenState {
  readonly active: boolean;
  /** Units by quota that open mode admitted and the ledger does not have yet. */
  readonly outstanding: ReadonlyMap<string, number>;
}

export interface BatcherState {
  readonly inFlight: number;
  readonly inDoubt: number;
  /** Operations that wait for a call. */
  readonly waiting: number;
}
