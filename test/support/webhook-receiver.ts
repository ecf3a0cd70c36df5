/** A real HTTP server that receives webhooks and verifies their signatures. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Test } from 'tap';

export interface ReceivedWebhook {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: looked at member by member
  readonly body: any;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedWebhook[];
  /** The status of the next answers, and where 3xx lead. */
  status: number;
  location: string;
}

export async function startReceiver(t: Test): Promise<Receiver> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const id = String(request.headers['webhook-id']);
      receiver.received.push({ id, headers: request.headers, text, body: JSON.parse(text) });
      response.writeHead(receiver.status, receiver.location === '' ? {} : { location: receiver.location });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received: [],
    status: 204,
    location: '',
  };
  return receiver;
}

/** Throws if the signature is not of this secret. */
export function verify(secret: string, { text, headers }: ReceivedWebhook): unknown {
  return new Webhook(secret).verify(text, headers as Record<string, string>);
}
