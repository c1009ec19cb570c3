#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { CliError, EXIT, EXIT_HELP } from './exit.ts';
import { line, tell } from './terminal.ts';

/** The verbs, in the order in which help shows them: a new one is its file and a line here. */
const VERBS = [
  import('./drill.ts'),
  import('./sandbox.ts'),
  import('./send.ts'),
  import('./decide.ts'),
  import('./waiting.ts'),
  import('./incidents.ts'),
  import('./show.ts'),
  import('./history.ts'),
  import('./export.ts'),
  import('./report.ts'),
  import('./playbooks.ts'),
  import('./plan.ts'),
  import('./start.ts'),
  import('./approve.ts'),
  import('./restore.ts'),
  import('./release.ts'),
  import('./pause.ts'),
  import('./resume.ts'),
  import('./suppress.ts'),
  import('./unsuppress.ts'),
  import('./suppressions.ts'),
  import('./erase-owner.ts'),
  import('./verify.ts'),
  import('./evidence.ts'),
  import('./extend.ts'),
  import('./doctor.ts'),
  import('./completion.ts'),
  import('./ticket.ts'),
  import('./redrive.ts'),
  import('./docs.ts'),
  import('./check.ts'),
  import('./new.ts'),
];

/**
 * Runs a command line and says how it ended.
 *
 * @param args - without the interpreter and the script: `['drill', '--list']`
 * @returns one of `EXIT`
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await (await createProgram()).parseAsync(args.length > 0 ? [...args] : alone(), { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    return explain(error);
  }
}

/** Alone it shows what waits for somebody, where it knows whom to ask; otherwise how it is used. */
function alone(): string[] {
  return (process.env['STOPBATH_AUDIT_URL'] ?? '') === '' ? ['--help'] : ['waiting'];
}

export async function createProgram(): Promise<Command> {
  const program = new Command('stopbath')
    .description('Contain what exposes photos on AWS, prove it, and keep the record.')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText('after', `\nStart here:\n  $ stopbath drill\n${EXIT_HELP}`);
  for (const verb of await Promise.all(VERBS)) verb.register(program);
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) command.addHelpText('after', EXIT_HELP);
  return program;
}

/** commander puts its suggestion on a second line; ours stays one line and says where to look. */
function oneLine(text: string): string {
  const message = text.trim().replace(/^error: /, '').split('\n').map((part) => part.trim()).join(' ');
  return `stopbath: ${line(message)}; see stopbath --help\n`;
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    tell(`stopbath: ${line(error.message)}`);
    return error.code;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  tell(`stopbath: ${line(message)}; this is a fault of Stopbath: run again with STOPBATH_DEBUG=1 and report what it prints`);
  if (process.env['STOPBATH_DEBUG'] === '1') tell(error instanceof Error ? (error.stack ?? message) : message);
  return EXIT.bug;
}

if (import.meta.main) {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.bug));
  process.exitCode = await run(process.argv.slice(2));
}
