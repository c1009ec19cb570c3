import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { RECORD_KINDS } from '../core/evidence.ts';
import { stackOf } from '../deploy/stack.ts';
import { parseYaml } from '../deploy/yaml.ts';

const ROOT = join(import.meta.dirname, '..');
const template = z.object({ Resources: z.looseObject({ EvidenceBucketPolicy: z.object({ Properties: z.object({ PolicyDocument: z.object({ Statement: z.array(z.looseObject({ Sid: z.string(), Effect: z.string() })) }) }) }) }) });
const statements = template.parse(parseYaml(readFileSync(join(ROOT, 'deploy/storage.yml'), 'utf8'))).Resources.EvidenceBucketPolicy.Properties.PolicyDocument.Statement;
/** The kinds of record that a part of a policy names. */
const kindsIn = (part: unknown): readonly string[] => [...JSON.stringify(part).matchAll(/records\/(\w+)\/\*/g)].map((match) => match[1] ?? '');

// A new function that keeps records stands in deploy/storage.yml too: without, S3 refuses what its role allows.
it('lets each kind of record be written by the functions whose roles say so, and by nobody else', () => {
  const byRoles = new Map<string, string[]>(RECORD_KINDS.map((kind) => [kind, []]));
  // One without a role.yml runs under another's role.
  for (const name of readdirSync(join(ROOT, 'functions')).filter((folder) => existsSync(join(ROOT, 'functions', folder, 'role.yml')))) {
    const role = z.array(z.looseObject({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() })).parse(parseYaml(readFileSync(join(ROOT, 'functions', name, 'role.yml'), 'utf8')) ?? []);
    for (const { Action, Resource } of role) if ([Action].flat().includes('s3:PutObject')) for (const kind of kindsIn(Resource)) byRoles.get(kind)?.push(name);
  }
  const byPolicy = new Map<string, string[]>();
  for (const statement of statements.filter(({ Effect, Action }) => Effect === 'Deny' && Action === 's3:PutObject')) {
    const { Resource, Condition } = statement;
    // A planner is one by its own role.yml; the list is made of these.
    const said = JSON.stringify(Condition ?? null).replace('${file(deploy/stack.cjs):snapshotKeepers}', () => JSON.stringify(stackOf(ROOT).snapshotKeepers));
    const writers = [...said.matchAll(/role\/\$\{self:custom\.name\}-([\w-]+)/g)].map((match) => match[1] ?? '');
    if (writers.length > 0 && Resource !== undefined) for (const kind of kindsIn(Resource)) byPolicy.set(kind, writers.toSorted());
  }
  expect(Object.fromEntries(byPolicy)).toEqual(Object.fromEntries([...byRoles].map(([kind, writers]) => [kind, writers.toSorted()])));
});

it('lets nothing be written beside records and seals', () => {
  const rest = statements.find(({ Sid }) => Sid === 'NothingElse');
  expect(kindsIn(rest?.['NotResource']).toSorted()).toEqual([...RECORD_KINDS].toSorted());
});
