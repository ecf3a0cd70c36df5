/** A gateway in front of an upstream, with clients that send raw bytes; all of them end with the test. */
import type { Test } from 'tap';
import { type ConfigParts, type RunningGateway, startGateway } from './gateway.js';
import { RawClient } from './raw.js';
import { TestUpstream, type UpstreamOptions } from './upstream.js';

export interface RawSetup {
  readonly upstream: TestUpstream;
  readonly gateway: RunningGateway;
  connect(): Promise<RawClient>;
}

export interface RawSetupClient extends RawSetup {
  readonly client: RawClient;
}

export async function rawSetup(
  t: Test,
  parts: Omit<ConfigParts, 'upstream'>,
  options: UpstreamOptions = {},
): Promise<RawSetup> {
  const upstream = await TestUpstream.start(options);
  const gateway = await startGateway({ ...parts, upstream: upstream.url });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(Number(gateway.gateway.split(':')[1]));
    t.teardown(() => client.destroy());
    return client;
  };
  return { upstream, gateway, connect };
}

/** With one client, connected. */
export async function rawSetupClient(...args: Parameters<typeof rawSetup>): Promise<RawSetupClient> {
  const setup = await rawSetup(...args);
  return { ...setup, client: await setup.connect() };
}
