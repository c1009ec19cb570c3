import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Follows docs/write-a-playbook.md in a copy of the repository, as somebody would who has it open beside the terminal. */
const ROOT = join(import.meta.dirname, '..');
let home = '';

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'stopbath-authoring-'));
  for (const folder of ['aws', 'cli', 'core', 'deploy', 'docs', 'functions', 'sandbox', 'test/events', 'workflows', 'package.json', 'serverless.yml', 'stopbath.config.json']) cpSync(join(ROOT, folder), join(home, folder), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Block {
  /** `console`, `diff`, `json <path>`; others are not followed. */
  readonly kind: string;
  readonly text: string;
}

const page = readFileSync(join(ROOT, 'docs/write-a-playbook.md'), 'utf8');
const blocks: readonly Block[] = [...page.matchAll(/^```(\S[^\n]*)\n(.*?)^```$/gms)].map(([, kind = '', text = '']) => ({ kind, text }));

describe('docs/write-a-playbook.md', () => {
  it('has steps to follow', () => expect(blocks.filter(({ kind }) => kind === 'console').length).toBeGreaterThan(4));

  it.each(blocks.map((block) => ({ ...block, what: block.text.split('\n', 1).join('').slice(0, 80) })))('$kind: $what', ({ kind, text }) => {
    if (kind === 'console') return follow(text);
    if (kind === 'diff') return edit(text);
    const [, path] = /^json (\S+)$/.exec(kind) ?? [];
    if (path !== undefined) writeFileSync(join(home, path), text);
  });
});

/** A line of `…` stands for any lines. */
function follow(text: string): void {
  for (const [, command = '', expected = ''] of text.matchAll(/^\$ ([^\n]*)\n((?:(?!\$ )[^\n]*\n)*)/gm)) {
    const { stdout, stderr } = stopbath(command.replace(/^stopbath /, ''));
    const pattern = expected.split('\n').map((line) => (line === '…' ? '(?:.*\n)*?' : `${line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}\n`)).join('').replace(/\n$/, '');
    expect(stdout + stderr, `$ ${command}`).toMatch(new RegExp(`^${pattern.trimEnd()}\\s*$`));
  }
}

/** Words in quotes are one. */
function stopbath(command: string): { readonly stdout: string; readonly stderr: string; readonly status: number | null } {
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  return spawnSync(process.execPath, ['--max-semi-space-size=4', join(home, 'cli/main.ts'), ...words], { cwd: home, encoding: 'utf8', timeout: 120_000, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } });
}

function edit(text: string): void {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const path = join(home, head.replace('--- ', ''));
  const [before, after] = ['-', '+'].map((sign) => lines.filter((line) => line.startsWith(sign)).map((line) => line.slice(1)).join('\n'));
  const present = readFileSync(path, 'utf8');
  expect(present, head).toContain(before);
  writeFileSync(path, present.replace(before ?? '', () => after ?? ''));
}

/** What is refused, each with a part of the one line that says why. */
const REFUSED: readonly (readonly [what: string, args: readonly string[], says: string])[] = [
  ['a name in capitals', ['playbook', 'WatchBucket', '--title', 't', '--description', 'd'], 'lower-case words'],
  ['a name that climbs out', ['playbook', '../etc', '--title', 't', '--description', 'd'], 'lower-case words'],
  ['a name that AWS has no room for', ['playbook', 'a'.repeat(41), '--title', 't', '--description', 'd'], '40 fit'],
  ['the name of a step', ['playbook', 'watch-plan', '--title', 't', '--description', 'd'], 'leave the last word out'],
  ['a playbook that there is', ['playbook', 'quarantine-bucket', '--title', 't', '--description', 'd'], 'exists already, so nothing was written'],
  ['a name with the logical ids of another', ['playbook', 'quarantinebucket', '--title', 't', '--description', 'd'], 'quarantine-bucket would share'],
  ['a technique that is none', ['playbook', 'fresh', '--title', 't', '--description', 'd', '--attack', 'phishing'], 'T1530'],
  ['no title and nobody to ask', ['playbook', 'fresh'], 'give --title'],
  ['a function that there is', ['function', 'triage', '--description', 'd'], 'exists already'],
  ['a time-out beyond Lambda’s', ['function', 'fresh', '--description', 'd', '--timeout', '1000'], '1 to 900'],
];

/** All of them in one process: what each printed, and how it ended. */
const REFUSALS = `
  const { run } = await import(process.argv[1]);
  const answers = [];
  for (const args of JSON.parse(process.argv[2])) {
    let text = '';
    const { write } = process.stderr;
    process.stderr.write = (part) => { text += part; return true; };
    const code = await run(['new', ...args]);
    process.stderr.write = write;
    answers.push({ code, text });
  }
  process.stdout.write(JSON.stringify(answers));
`;

describe('stopbath new', () => {
  it('refuses what cannot be, in one line that says what to do, and writes nothing', () => {
    const before = listing();
    const args = ['--input-type=module', '-e', REFUSALS, join(home, 'cli/main.ts'), JSON.stringify(REFUSED.map(([, words]) => words))];
    const answers = JSON.parse(execFileSync(process.execPath, args, { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })) as readonly { readonly code: number; readonly text: string }[];
    REFUSED.forEach(([what, , says], index) => {
      expect(answers[index], what).toEqual({ code: 2, text: expect.stringContaining(says) });
      expect(answers[index]?.text.trim().split('\n'), what).toHaveLength(1);
    });
    expect(listing()).toBe(before);
  });

  it('writes a function that type-checks, and lists it', () => {
    expect(stopbath('new function count-objects --description "Counts the objects of a bucket"').status).toBe(0);
    expect(readFileSync(join(home, 'serverless.yml'), 'utf8')).toContain('  count-objects: ${file(deploy/stack.cjs):functions.count-objects}\n  dead-letter:');
    const files = ['handler.ts', 'count-objects.ts'].map((file) => join(home, 'functions/count-objects', file));
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit', '--ignoreConfig', '--strict', '--target', 'es2024', '--module', 'nodenext', '--allowImportingTsExtensions', '--skipLibCheck', '--types', 'node', ...files], { cwd: home, stdio: 'pipe' });
  });
});

/** Everything that could have been written, and the list. */
function listing(): string {
  const found = ['functions', 'workflows', 'docs'].flatMap((folder) => readdirSync(join(home, folder), { recursive: true }).map(String));
  return `${found.toSorted().join('\n')}\n${readFileSync(join(home, 'serverless.yml'), 'utf8')}`;
}
