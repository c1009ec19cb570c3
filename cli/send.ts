import { readFile } from 'node:fs/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Command } from 'commander';
import { z } from 'zod';
import { reasonOf } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { say, sayJson } from './terminal.ts';

interface Options {
  readonly bucket: string;
  readonly account: string;
  readonly json?: true;
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const envelope = z.looseObject({ id: z.string().min(1), source: z.string().min(1), 'detail-type': z.string().min(1), detail: z.unknown() });

/** `stopbath send <event.json>`: plays an event, through EventBridge in a sandbox, as a drill on AWS. */
export function register(program: Command): void {
  program
    .command('send')
    .description('play an event: through EventBridge in a sandbox, as a drill on AWS')
    .argument('<event.json>', 'an EventBridge envelope; ${bucket}, ${account}, ${region} and ${now} in it are filled in')
    .option('--bucket <name>', 'what ${bucket} stands for', 'family-photos-111122223333')
    .option('--account <id>', 'what ${account} stands for', '111122223333')
    .option('--json', 'print { event, sentTo } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath send test/events/guardduty-bucket-anonymous.json\n\nWhere AWS_ENDPOINT_URL is a sandbox the event arrives through its EventBridge. On AWS, where nobody can send events\nof aws.* sources, the triage function is invoked and the incident is marked as a drill.')
    .action(async (file: string, options: Options) => {
      const event = await readEvent(file, options);
      const endpoint = process.env['AWS_ENDPOINT_URL'];
      const sentTo = endpoint !== undefined && URL.canParse(endpoint) && LOOPBACK.has(new URL(endpoint).hostname) ? await toSandbox(endpoint, event) : await toTriage(event);
      if (options.json) sayJson({ event: event.id, sentTo });
      else say(`${event.id} was sent to ${sentTo}; see what becomes of it: stopbath incidents`);
    });
}

async function readEvent(file: string, { bucket, account }: Options): Promise<z.infer<typeof envelope>> {
  const names: Readonly<Record<string, string>> = { bucket, account, region: process.env['AWS_REGION'] ?? 'us-east-1', now: new Date().toISOString() };
  let document: unknown;
  try {
    const text = await readFile(file, 'utf8');
    // Into a JSON text, so a name is written as JSON would write it.
    document = JSON.parse(text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => (names[name] === undefined ? whole : JSON.stringify(names[name]).slice(1, -1))));
  } catch (cause) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${reasonOf(cause)}; give a file with one EventBridge event as JSON`, { cause });
  }
  const read = envelope.safeParse(document);
  if (read.success) return read.data;
  const problems = read.error.issues.map((issue) => `${issue.path.join('.') || 'the document'}: ${issue.message}`).join('; ');
  throw new CliError(EXIT.usage, `${file} is not an EventBridge event: ${problems}; test/events/ has examples`);
}

async function toSandbox(endpoint: string, event: object): Promise<string> {
  const url = new URL('/_sandbox/events', endpoint);
  try {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([event]), signal: AbortSignal.timeout(10_000) });
    if (answer.ok) return 'EventBridge in the sandbox';
    throw new CliError(EXIT.usage, `the sandbox refused the event (${answer.status}): ${await answer.text()}`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(EXIT.unreachable, `${endpoint} did not answer (${reasonOf(error)}): is the sandbox running?`, { cause: error });
  }
}

async function toTriage(event: object): Promise<string> {
  const name = `${process.env['STOPBATH_NAME'] ?? 'stopbath-dev'}-triage`;
  const lambda = new LambdaClient({});
  try {
    await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload: JSON.stringify({ drill: true, event }) }));
    return `${name}, as a drill`;
  } catch (cause) {
    throw new CliError(EXIT.unreachable, `${name} could not be invoked (${reasonOf(cause)}): set STOPBATH_NAME, sign in, or start a sandbox and export what it prints`, { cause });
  } finally {
    lambda.destroy();
  }
}
