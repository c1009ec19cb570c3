import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { epochKind } from '../../aws/share/epochs.ts';
import type { ShareContext } from '../../aws/share/kind.ts';
import { markLink } from '../../aws/share/marks.ts';
import type { Change, LedgerEntry } from '../../core/incident.ts';
import { sweepChange } from '../../core/share/revocation.ts';
import { sweepUndo } from '../../core/share/undo.ts';
import { undoSteps } from '../../core/undo.ts';
import { DEFAULT_SHARES } from '../../sandbox/photos/share-tables.ts';
import { aLink, startShareStage } from './stage.ts';

const run = promisify(execFile);

// What each request does is shown in playbook.test.ts; here it is what a person types.
it('the undo commands of a revocation, typed into a shell, give back what only it revoked', async (context) => {
  if (!(await run('aws', ['--version']).catch(() => null))) {
    process.stdout.write('not run: the undo commands of a revocation in a shell, since the AWS CLI is not installed\n');
    return context.skip();
  }
  const stage = await startShareStage();
  try {
    await stage.put([aLink(1), aLink(2), aLink(3, { albumId: 'other' })]);
    const [mine, shared] = [aLink(1).linkId, aLink(2).linkId];
    const incident = await stage.incident('inc-1', { kind: 'owner', name: 'anna', arn: 'share:111122223333:owner/anna' }, { ownerId: 'anna' });
    const scope = { kind: 'owner', ownerId: 'anna' } as const;
    const of: ShareContext = { incident, direction: 'contain', execution: 'inc-1-contain-1', scope, reach: [], reachComplete: true };
    const [epoch] = (await epochKind.plan(of, stage.tools)).changes;
    if (!epoch) throw new Error('an owner has an epoch');
    await epochKind.write(epoch, of, stage.tools);
    for (const id of [mine, shared, aLink(3).linkId]) await markLink(stage.tools, id, 'inc-1', null);
    await markLink(stage.tools, shared, 'inc-2', null);
    const entry = (seq: number, change: Omit<Change, 'seq'>): LedgerEntry => ({ ...change, seq, incident: 'inc-1', direction: 'contain', execution: of.execution, digest: 'd', intendedAt: '2026-11-24T12:00:00.000Z', doneAt: '2026-11-24T12:00:01.000Z', result: 'done' });
    const steps = undoSteps({ incident, ledger: [entry(1, epoch), entry(2, { ...sweepChange(scope, 0), undo: sweepUndo(DEFAULT_SHARES, scope, 'inc-1') })] });

    const env = { ...process.env, ...stage.environment, AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };
    const { stdout } = await run('sh', ['-e', '-c', steps.map(({ command }) => command).join('\n')], { env });
    expect(stdout).not.toContain('left as it is');
    expect(await stage.verdicts([mine, shared, aLink(3).linkId])).toEqual({ [mine]: 'live', [shared]: 'revoked', [aLink(3).linkId]: 'live' });
    expect((await stage.all()).find(({ linkId }) => linkId === shared)).toMatchObject({ revocations: new Set(['inc-2']) });
    // Where another incident has raised the epoch since, its range must stay: the command is refused.
    await epochKind.write({ ...epoch, before: { epoch: 1, revoked: [] }, after: { epoch: 2, revoked: [{ through: 0, incident: 'inc-2' }, { through: 1, incident: 'inc-3' }] } }, of, stage.tools);
    await expect(run('sh', ['-e', '-c', steps.at(-1)?.command ?? ''], { env })).rejects.toThrow('ConditionalCheckFailed');
  } finally {
    await stage.stop();
  }
});
