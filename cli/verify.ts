import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { publicKeyOf, SealError } from '../core/seal.ts';
import { verifyEvidence, type EvidenceFiles, type Verdict } from '../core/verify.ts';
import type { Person } from './api.ts';
import { folderFiles } from './evidence/folder.ts';
import { CliError, EXIT } from './exit.ts';
import { momentOf, WHEN } from './period.ts';
import { ink, line, say, sayJson } from './terminal.ts';

interface Options extends Person {
  readonly since?: string;
  readonly until?: string;
  readonly offline?: string;
  readonly publicKey?: readonly string[];
  readonly fingerprint?: readonly string[];
  readonly json?: true;
}

/** `stopbath verify`: whether the record is complete, and whether somebody has changed it. */
export function register(program: Command): void {
  program
    .command('verify')
    .description('recompute the record and its seals: complete and intact, or exactly what is not')
    .option('--since <when>', `read only records that were sealed since then; the chain of seals is checked whole: ${WHEN.ago}`)
    .option('--until <when>', 'up to when the record must be complete (default: now), the same; a day is included whole. For files that were taken earlier')
    .option('--offline <dir>', "check the bucket's files in a folder; needs no AWS")
    .option('--public-key <file>', 'a key that is trusted, PEM; again for more', gather)
    .option('--fingerprint <sha256>', 'the fingerprint of a key that is trusted; again for more', gather)
    .option('--json', 'print the verdict as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: ada')
    .addHelpText(
      'after',
      `
Examples:
  $ stopbath verify --as ada
  $ stopbath evidence pull ./evidence && stopbath verify --offline ./evidence --public-key seal-key.pem

Ends with 0: complete and intact · 1: something is missing, altered, reordered, extra or signed by another key · 5: intact,
but sealed later than it should have been. What is newer than the last seal is counted and no problem: the next seal names it.
Without --public-key and --fingerprint the online form trusts the keys that KMS names: compare the fingerprint that it prints
with the one that you keep outside the account. By hand, with openssl and sha256sum: docs/verify-by-hand.md.`,
    )
    .action(verify);
}

async function verify(options: Options): Promise<void> {
  const given = [...(await Promise.all((options.publicKey ?? []).map(fingerprintIn))), ...(options.fingerprint ?? []).map(checkedFingerprint)];
  const { files, trusted } = options.offline === undefined ? await online(options, given) : { files: await offline(options.offline, given), trusted: given };
  const now = Date.now();
  const at = new Date(now).toISOString();
  const until = options.until === undefined ? at : momentOf('--until', options.until, now);
  // What is not over yet cannot be complete.
  const verdict = await verifyEvidence(files, { trusted, until: until < at ? until : at, now: at, since: options.since === undefined ? undefined : momentOf('--since', options.since, now) });
  if (options.json) sayJson(verdict);
  else say(...linesOf(verdict, given.length > 0));
  process.exitCode = { intact: EXIT.ok, late: EXIT.late, broken: EXIT.no }[verdict.verdict];
}

async function online(options: Options, given: readonly string[]): Promise<{ readonly files: EvidenceFiles; readonly trusted: readonly string[] }> {
  // Only here: the offline form loads nothing of AWS.
  const { remoteEvidence } = await import('./evidence/online.ts');
  const files = remoteEvidence(options);
  return { files, trusted: given.length > 0 ? given : (await files.keys()).map(({ fingerprint }) => fingerprint) };
}

async function offline(folder: string, given: readonly string[]): Promise<EvidenceFiles> {
  if (given.length === 0) throw new CliError(EXIT.usage, '--offline needs --public-key FILE or --fingerprint SHA256: a folder cannot say itself whose signature counts');
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) throw new CliError(EXIT.usage, `--offline is ${JSON.stringify(folder)}, which is no folder: give the one that "stopbath evidence pull" wrote`);
  return folderFiles(folder);
}

async function fingerprintIn(file: string): Promise<string> {
  try {
    return publicKeyOf(await readFile(file, 'utf8')).fingerprint;
  } catch (cause) {
    const reason = cause instanceof SealError || cause instanceof Error ? cause.message : String(cause);
    throw new CliError(EXIT.usage, `--public-key is ${JSON.stringify(file)}: ${reason}`, { cause });
  }
}

function checkedFingerprint(text: string): string {
  const hex = text.toLowerCase().replaceAll(/[:\s]/g, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new CliError(EXIT.usage, `--fingerprint is ${JSON.stringify(text)}: must be 64 hexadecimal characters, SHA-256 of the public key in DER`);
  return hex;
}

const SHOWN = 20;

function linesOf(verdict: Verdict, isGiven: boolean): readonly string[] {
  const { seals, sealed, records, unsealed, from, until, signer, problems, counts } = verdict;
  const head = { intact: ink.green('Complete and intact'), late: ink.yellow('Intact, but sealed late'), broken: ink.red('NOT INTACT') }[verdict.verdict];
  const bad = problems.filter(({ kind }) => kind !== 'unsealed');
  const found = Object.entries(counts).filter(([kind]) => kind !== 'unsealed');
  const total = found.reduce((sum, [, count]) => sum + count, 0);
  return [
    total === 0 ? head : `${head}: ${found.map(([kind, count]) => `${count} ${kind === 'foreign-key' ? 'signed by another key' : kind}`).join(', ')}`,
    `  ${count(sealed, 'record')} under ${count(seals, 'seal')}${from === null ? '' : from === until ? `, up to ${until}` : `, from ${from} to ${until}`}; ${records} read and as they were sealed`,
    ...(unsealed > 0 ? [`  ${count(unsealed, 'record')} newer than the last seal: the next one names ${unsealed === 1 ? 'it' : 'them'}`] : []),
    signer === null ? '  no seal is signed by a trusted key' : `  signed by the key ${signer}${isGiven ? '' : ', as KMS says: compare it with the fingerprint that you keep outside the account'}`,
    ...bad.slice(0, SHOWN).map(({ kind, place, seal, text }, index) => line(`  ${index === 0 ? 'first: ' : '       '}${kind.padEnd(11)} ${place}${seal === null || place.startsWith('seals/') ? '' : ` (seal ${seal})`}: ${text}`)),
    ...(total > SHOWN ? [`         … and ${total - Math.min(SHOWN, bad.length)} more; --json shows the first hundred`] : []),
  ];
}

export function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
