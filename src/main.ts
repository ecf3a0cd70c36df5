#!/usr/bin/env node
/** The only file that touches the process: arguments, environment, signals, exit code. */
import { Command } from 'commander';
import { check } from './cli/check.js';
import { demo } from './cli/demo.js';
import { serve } from './cli/serve.js';
import { readConfig } from './config/load.js';
import { ConfigError } from './config/mistakes.js';

const CONFIG_FILE = 'quotagate.yaml';

const program = new Command('quotagate').description(
  'A quota-enforcement gateway in front of metered HTTP endpoints',
);

program
  .command('serve')
  .description('run the gateway and the admin API')
  .option('-c, --config <file>', 'config file', CONFIG_FILE)
  .action(async ({ config }: { config: string }) => {
    const { app } = await serve(readConfig(config, process.env));
    endBySignal(() => app.close());
  });

program
  .command('check')
  .description(
    'judge a config file: every mistake with its place and what to do; exit code 1 if there is one',
  )
  .option('-c, --config <file>', 'config file', CONFIG_FILE)
  .action(({ config }: { config: string }) => {
    process.exitCode = check(config, process.env, process.stdout);
  });

program
  .command('demo')
  .description('run the gateway with a sample upstream and two sample orgs; nothing else is needed')
  .action(async () => {
    const { close } = await demo(process.env, process.stdout);
    endBySignal(close);
  });

function endBySignal(close: () => Promise<void>): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

function fail(error: unknown): never {
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`quotagate: ${sentence(error)}\n`);
  process.exit(1);
}

/** An error and its causes in one line, without stack traces. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${sentence(error.cause)})`;
}

program.parseAsync().catch(fail);
