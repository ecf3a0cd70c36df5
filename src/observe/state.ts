/** What the metrics are made for, and what they look at when Prometheus asks. */

export interface MetricsOptions {
  /** Decimals by quota: units are shown as people write them. */
  readonly quotas: Readonly<Record<string, { readonly decimals: number }>>;
  /** Undefined until there is something to look at. */
  readonly state: () => State | undefined;
}

export interface State {
  readonly ready: boolean;
  readonly storeReady: boolean;
  /** The store's clock shows an impossible time. */
  readonly clockRefused: boolean;
  readonly requestsInFlight: number;
  /** Operations owed to the store. */
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
  /** Units by quota that were let through and are not in the ledger yet. */
  readonly outstanding: ReadonlyMap<string, number>;
}

export interface BatcherState {
  readonly inFlight: number;
  readonly inDoubt: number;
  /** Operations that wait for a call. */
  readonly waiting: number;
}
