#!/usr/bin/env node
/** The only file that touches the process: arguments, environment, signals, exit code. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { secretFindings } from './app/secrets.js';
import { applyCommand, exportCommand } from './cli/as-code.js';
import { check, lineOf } from './cli/check.js';
import { type PortOptions, portIn } from './cli/demo-ports.js';
import { statsCommand, verifyCommand } from './cli/history.js';
import { type ConfigSource, noConfig, serve } from './cli/serve.js';
import { storeCommand } from './cli/store.js';
import { tokenCommand } from './cli/token.js';
import { ConfigError } from './config/issues.js';
import { readConfig } from './config/load.js';
import { VERSION } from './observe/build.js';

const CONFIG_FILE = 'quotagate.yaml';

const program = new Command('quotagate')
  .description('A quota-enforcement gateway in front of metered HTTP endpoints')
  .version(VERSION);

program
  .command('serve')
  .description('run the gateway and the admin API')
  .option('-c, --config <file>', 'config file', CONFIG_FILE)
  .action(async ({ config }: { config: string }, command: Command) => {
    if (command.getOptionValueSource('config') === 'default' && !existsSync(config))
      fail(new Error(noConfig(config, process.cwd(), process.env)));
    const source = { file: config, read: reader(config) };
    const starting = serve(source, process.env).catch((error: unknown) => refuse(config, error));
    process.on('SIGHUP', () => void starting.then(({ reload }) => reload()));
    endBySignal(starting.then(({ app }) => app));
    await starting;
  });

program
  .command('check')
  .description(
    'validate a config file: report every error with its line and a fix; exit code 1 if there is one',
  )
  .option('-c, --config <file>', 'config file', CONFIG_FILE)
  .option('--secrets', 'also read the files and variables that the config names, as `serve` does')
  .action(({ config, secrets = false }: { config: string; secrets?: boolean }) => {
    // The reader may close the pipe early (`| head`); the exit code still counts.
    process.stdout.on('error', () => undefined);
    process.exitCode = check({ file: config, environment: process.env, secrets }, process.stdout);
  });

program
  .command('demo')
  .description('run the gateway with sample upstreams and two sample orgs; nothing else is needed')
  .option('--port <port>', 'port of the gateway (default: 8080)', portIn)
  .option('--admin-port <port>', 'port of the admin API and the console (default: 9080)', portIn)
  .option('--ops-port <port>', 'port of metrics and health (default: 9091)', portIn)
  .action(async (ports: PortOptions) => {
    const starting = demo(ports);
    endBySignal(starting);
    await starting;
  });

const outputs = { out: process.stdout, notes: process.stderr };
program.addCommand(tokenCommand(outputs));
program.addCommand(exportCommand(outputs));
program.addCommand(applyCommand(outputs));
program.addCommand(storeCommand(process.env, process.stdout, CONFIG_FILE));
const context = { environment: process.env, out: process.stdout, configFile: CONFIG_FILE };
program.addCommand(verifyCommand(context));
program.addCommand(statsCommand(context));

/** Loaded only when it runs: the container image leaves the sample upstreams out. */
async function demo(ports: PortOptions): Promise<Ending> {
  const module = await import('./cli/demo.js').catch((error: unknown) => {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isAbsent) throw error;
    process.stderr.write(
      'The demo is not part of the container image. Run it with npm: npx quotagate demo\n',
    );
    process.exit(1);
  });
  return await module.demo({ environment: process.env, ports, ...outputs });
}

/** Reads the config and the files and variables that it names. */
function reader(file: string): ConfigSource['read'] {
  return (when) => readConfig(file, process.env, (partial) => secretFindings(partial, process.env, when));
}

interface Ending {
  /** False: some settlements were neither delivered nor spooled. */
  close(): Promise<boolean>;
  /** Called before `close`: reports not ready, so that load balancers stop sending requests. */
  drain?(): Promise<void>;
}

/** npm and terminals send one Ctrl-C twice. */
const SAME_SIGNAL_MS = 250;

/**
 * SIGTERM drains and closes, SIGINT closes at once, and a second signal exits immediately. A start comes to its end first: without this,
 * process 1 of a container would not notice a signal that comes during it.
 */
function endBySignal(starting: Promise<Ending>): void {
  let endingSince: number | undefined;
  const closed = async (drain: boolean): Promise<boolean> => {
    const running = await starting;
    if (drain) await running.drain?.();
    return running.close();
  };
  const end = (drain: boolean): void => {
    const now = performance.now();
    if (endingSince !== undefined) {
      if (now - endingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    endingSince = now;
    closed(drain).then((kept) => process.exit(kept ? 0 : 1), fail);
  };
  // Who waits for the start reports why it failed.
  starting.catch(() => undefined);
  process.on('SIGTERM', () => end(true));
  process.on('SIGINT', () => end(false));
}

/** Reports errors of the config as `check` does. */
function refuse(file: string, error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  for (const mistake of error.mistakes) process.stderr.write(`${lineOf(file, mistake)}\n`);
  process.exit(1);
}

function fail(error: unknown): never {
  if (error instanceof ConfigError)
    for (const mistake of error.mistakes) process.stderr.write(`${lineOf(error.file, mistake)}\n`);
  else process.stderr.write(`quotagate: ${sentence(error)}\n`);
  process.exit(1);
}

/** An error and its causes in one line, without stack traces. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${sentence(error.cause)})`;
}

program.parseAsync().catch(fail);
