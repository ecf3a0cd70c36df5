/** A connection to a server of the bench's own: it needs no proof of which server it is. */
import { Connection } from '../../src/ledger/redis/connection.js';

export async function openConnection(url: string): Promise<Connection> {
  const connection = new Connection({ url });
  await connection.open();
  connection.admit();
  return connection;
}
