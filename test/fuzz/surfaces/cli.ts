import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { EXIT } from '../../../cli/exit.ts';
import { createProgram, run } from '../../../cli/main.ts';
import { nastyText } from '../mangle.ts';
import { overheard, SECRET, surface, Violation } from '../surface.ts';

/** These start a server, play for seconds, or write where they are told, whoever asks: they are not for any arguments at all. */
const APART = new Set(['drill', 'sandbox', 'docs', 'new', 'check', 'send', 'complete']);
const WORDS = ['inc-20260102-0f3a9c2b11', 'quarantine-bucket', 'revoke-share-links', '2026-Q4', '7d', '2026-01-01', 'family-photos', 'public', 'rosa', '-', '--', '-1', 'bash', 'list', 'pull'] as const;
const CODES = new Set<number>(Object.values(EXIT).filter((code) => code !== EXIT.bug));

/** Command lines. The suite that they reach refuses everything, so that a verb's own words are what is looked at. */
export const cli = surface('cli', 'CLI arguments', async () => {
  const refusing = createServer((_, answer) => answer.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ error: 'no' })));
  refusing.listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const address = refusing.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`;
  const [folder, home, environment, stdin] = [await mkdtemp(join(tmpdir(), 'stopbath-fuzz-')), process.cwd(), { ...process.env }, Object.getOwnPropertyDescriptor(process, 'stdin')];
  process.chdir(folder);
  Object.assign(process.env, { STOPBATH_AUDIT_URL: endpoint, STOPBATH_RESPOND_URL: endpoint, AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'us-east-1', AWS_MAX_ATTEMPTS: '1', AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET, ROSA_AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', ROSA_AWS_SECRET_ACCESS_KEY: SECRET, NO_COLOR: '1' });
  // A verb that reads its input finds it ended.
  Object.defineProperty(process, 'stdin', { configurable: true, get: () => Readable.from([]) });

  const verbs = (await createProgram()).commands.filter((command) => !APART.has(command.name()));
  const word = fc.oneof({ weight: 3, arbitrary: fc.constantFrom<string>(...WORDS) }, { weight: 2, arbitrary: nastyText.map((text) => text.replaceAll('\0', '')) });
  const lines = fc.constantFrom(...verbs).chain((verb) => {
    const flags = [...verb.options.flatMap(({ long }) => (long === undefined ? [] : [long])), '--no-such-option', '--help'];
    const said = fc.oneof(word.map((text) => [text]), fc.tuple(fc.constantFrom(...flags), word).map((pair) => pair), fc.constantFrom(...flags).map((flag) => [flag]));
    return fc.array(said, { maxLength: 6 }).map((parts) => [verb.name(), ...parts.flat()]);
  });
  return {
    cases: lines,
    close: async () => {
      process.chdir(home);
      for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
      Object.assign(process.env, environment);
      if (stdin) Object.defineProperty(process, 'stdin', stdin);
      process.exitCode = undefined;
      refusing.close();
      refusing.closeAllConnections();
      await rm(folder, { recursive: true });
    },
    holds: async (args) => {
      process.exitCode = undefined;
      const { result: code, err } = await overheard(async () => await run(args));
      if (!CODES.has(code)) throw new Violation(`stopbath ${JSON.stringify(args)} ended with ${code}: ${err.slice(0, 300)}`);
      if (code !== EXIT.ok && err.trim() === '') throw new Violation(`stopbath ${JSON.stringify(args)} ended with ${code} and says nothing`);
      if (/[^\P{Cc}\n\t]/u.test(err)) throw new Violation(`stopbath ${JSON.stringify(args)} sends control characters to the terminal: ${JSON.stringify(err.slice(0, 300))}`);
      if (/^\s+at /m.test(err)) throw new Violation(`stopbath ${JSON.stringify(args)} shows a stack: ${err.slice(0, 300)}`);
    },
  };
});
