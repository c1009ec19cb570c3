import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { sha256Of } from '../core/evidence.ts';
import { publicKeyOf, readSeal } from '../core/seal.ts';
import { KeySet } from '../core/verify/key-set.ts';
import type { Person } from './api.ts';
import { folderFiles } from './evidence/folder.ts';
import { remoteEvidence } from './evidence/online.ts';
import { CliError, EXIT } from './exit.ts';
import { say, sayJson, tell } from './terminal.ts';
import { count } from './verify.ts';

/** `stopbath evidence pull DIR`: the bucket's files, for whoever checks them without AWS. */
export function register(program: Command): void {
  program
    .command('evidence')
    .description("fetch the evidence bucket's files, to check them without AWS")
    .argument('<what>', 'pull')
    .argument('<dir>', 'the folder that they go to; what is there and right is not fetched again')
    .option('--json', 'print what was fetched as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: ada')
    .addHelpText('after', '\nExample:\n  $ stopbath evidence pull ./evidence --as ada\n  $ stopbath verify --offline ./evidence --public-key ./evidence/keys/*.pem\n\nReads through STOPBATH_AUDIT_URL. seals/ and records/ lie in the folder as in the bucket; keys/ holds the public keys as KMS says them:\ncompare their fingerprints with those that you keep outside the account.')
    .action(pull);
}

async function pull(what: string, dir: string, options: Person & { readonly json?: true }): Promise<void> {
  if (what !== 'pull') throw new CliError(EXIT.usage, `evidence ${JSON.stringify(what)}: there is only "evidence pull DIR"`);
  const remote = remoteEvidence(options);
  const here = folderFiles(dir);
  let [seals, records, fetched] = [0, 0, 0];
  const fingerprints: string[] = [];
  for (const { fingerprint, publicKey } of await remote.keys()) {
    await write(dir, `keys/${fingerprint}.pem`, publicKeyOf(publicKey).key.export({ format: 'pem', type: 'spki' }));
    fingerprints.push(fingerprint);
  }
  const named = new KeySet();
  for await (const key of remote.seals()) {
    const text = await remote.readSeal(key);
    if (text === null) {
      tell(`${key} is not there any more: verify will name it`);
      continue;
    }
    await write(dir, key, text);
    seals++;
    for (const { key: record, versionId, sha256 } of namedIn(text)) {
      records++;
      named.add(record);
      const known = await here.readRecord({ key: record, versionId });
      if (known !== null && sha256Of(known) === sha256) continue;
      const bytes = await remote.readRecord({ key: record, versionId });
      if (bytes === null) continue;
      await write(dir, record, bytes);
      fetched++;
    }
  }
  // What no seal names yet, or at all, is fetched too: a folder that looks cleaner than the bucket would prove nothing.
  let unnamed = 0;
  for await (const { key, versionId, deleted } of remote.list('records/')) {
    if (deleted || named.has(key)) continue;
    const bytes = await remote.readFile(key, versionId);
    if (bytes !== null) await write(dir, key, bytes);
    unnamed++;
  }
  if (options.json) return sayJson({ dir, seals, records, fetched, unnamed, fingerprints });
  say(`${count(seals, 'seal')} and ${count(records, 'record')} in ${dir}, ${fetched} of them fetched now; ${count(unnamed, 'file')} that no seal names`, ...fingerprints.map((fingerprint) => `key ${fingerprint}`));
}

function namedIn(text: string) {
  try {
    return readSeal(text).seal.records;
  } catch {
    return [];
  }
}

async function write(dir: string, key: string, content: string | Uint8Array): Promise<void> {
  if (key.split('/').includes('..') || key.startsWith('/')) throw new CliError(EXIT.no, `the bucket holds ${JSON.stringify(key)}, which is no name for a file here`);
  const path = join(dir, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
