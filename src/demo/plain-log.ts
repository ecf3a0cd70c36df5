/** The demo's log, as sentences for a person at a terminal. */
import type { DestinationStream } from 'pino';

interface LoggedError {
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

interface LogLine {
  readonly level: number;
  readonly event: string;
  readonly msg: string;
  readonly err?: LoggedError;
}

const ERROR = 50;
const WARNING = 40;
/** What the demo prints itself, in better words. */
const PRINTED = new Set(['ledger_embedded', 'first_admin_token']);
/** Of every line, and of no use at a terminal. */
const LEFT_OUT = new Set(['level', 'time', 'pid', 'hostname', 'event', 'msg', 'err']);

export function plainLog(out: { write(text: string): unknown }): DestinationStream {
  return {
    write(text) {
      const line = JSON.parse(text) as LogLine;
      if (!PRINTED.has(line.event)) out.write(`${sentenceOf(line)}\n`);
    },
  };
}

function sentenceOf(line: LogLine): string {
  const { level, event, msg, err } = line;
  const kind = level >= ERROR ? 'error' : level >= WARNING ? 'warning' : 'note';
  const fields = Object.entries(line).filter(([name]) => !LEFT_OUT.has(name));
  const details = fields.map(([name, value]) => `, ${name} ${plain(value)}`).join('');
  return `${kind}: ${msg} (${event}${details})${errorText(err)}`;
}

/** With its stack and its causes, so that it can be reported. */
function errorText(err: LoggedError | undefined): string {
  return err === undefined ? '' : `\n${err.stack ?? err.message}${errorText(err.cause)}`;
}

function plain(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
