/** What is under way on which connection: a gateway that closes answers it to its last byte, and then ends the connection. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  closing = false;
  private readonly sockets = new Set<Socket>();
  private readonly underWay = new Set<ServerResponse>();

  /** Node takes a connection for idle whose answer is handed over but not yet sent, and would cut it off. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.closeIdleConnections = () => this.endIdle();
  }

  begin(response: ServerResponse): void {
    this.underWay.add(response);
    response.once('close', () => {
      this.underWay.delete(response);
      if (this.closing) this.endIfIdle(response.req.socket);
    });
  }

  isBusy(socket: Socket): boolean {
    for (const { req } of this.underWay) if (req.socket === socket) return true;
    return false;
  }

  /** From here on each connection ends with the answer that is under way on it. */
  close(): void {
    this.closing = true;
    for (const response of this.underWay)
      if (!response.headersSent) response.setHeader('Connection', 'close');
    this.endIdle();
  }

  private endIdle(): void {
    for (const socket of this.sockets) this.endIfIdle(socket);
  }

  private endIfIdle(socket: Socket): void {
    if (!this.isBusy(socket)) socket.destroySoon();
  }
}
