import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { stackOf } from '../deploy/stack.ts';
import { trackerStatements } from '../deploy/trackers.ts';
import { play } from '../sandbox/scenario/play.ts';
import { readScenario, ROOT, type Scenario } from '../sandbox/scenario/scenario.ts';

/** A containment at level external: it uses everything but what is named below. */
const whole = scenario('exfiltration');
const contain: Scenario = { ...whole, given: { ...whole.given, propagationMs: 0 }, steps: whole.steps.filter((step) => 'attack' in step || 'event' in step) };

/** A ticket is tried again for hours before it is given up. */
const untilGivenUp: Scenario = { ...contain, steps: [...contain.steps, { await: 'settled', withinSeconds: 172_800 }] };

const FUNCTIONS = ['triage', 'quarantine-bucket-plan', 'quarantine-bucket-apply', 'quarantine-bucket-verify', 'record', 'ticket'] as const;
/** Used on another way, which is played for them. */
const ELSEWHERE: Readonly<Record<string, Scenario>> = {
  'triage s3:ListAllMyBuckets': scenario('account-block'),
};
/** Not used on this way, with the reason. */
const UNUSED: ReadonlySet<string> = new Set([
  'triage dynamodb:GetItem', // reads the claim of somebody else's incident: only a second signal does
  'record lambda:InvokeFunction', // only where a signal waited for the run; what is missing is in its log, and the reconciler does it
  'ticket dynamodb:GetItem', // looks up an owner's pseudonym: only where a ticket's full text names one
  'quarantine-bucket-plan s3:ListBucket', // the public bucket lets anyone list, this role too
  'quarantine-bucket-plan cloudwatch:GetMetricData', // a number that is missing from the impact stops no containment: the plan says why
  'quarantine-bucket-plan dynamodb:BatchGetItem', // the same
  'quarantine-bucket-apply s3:DeleteBucketPolicy', // only a restore to "no policy" deletes one
  'ticket ssm:DescribeOpsItems', // looks for a ticket whose creation was not answered
  'ticket guardduty:ArchiveFindings', // at the incident's end
  'ticket guardduty:UnarchiveFindings', // where it opens again
]);
/** What a containment goes on without: workflows/quarantine-bucket/scenarios/refuses-to-be-read.json. */
const SPARED = /^quarantine-bucket-\w+ s3:Get(BucketPolicy|BucketAcl|BucketOwnershipControls|LifecycleConfiguration|ReplicationConfiguration|BucketWebsite|BucketCORS|BucketTagging|BucketVersioning|BucketObjectLockConfiguration|BucketNotification)$/;
/** One action of each service that a function uses: `npm run faults` refuses every single call. */
const missing = FUNCTIONS.flatMap((name) => {
  const used = actionsOf(name).filter((action) => !UNUSED.has(`${name} ${action}`) && !SPARED.test(`${name} ${action}`));
  return [...Map.groupBy(used, (action) => action.split(':')[0]).values()].flatMap((ofService) => ofService.slice(0, 1).map((action) => ({ name, action })));
});

describe('a function that lacks a permission', () => {
  it.concurrent.each(missing)('$name without $action ends on record, and the record names it', async ({ name, action }) => {
    const played = ELSEWHERE[`${name} ${action}`] ?? (name === 'ticket' ? untilGivenUp : contain);
    const result = await play({ ...played, failures: [{ permission: action, of: name }] }, { clock: 'skipping' });
    const record = [
      ...result.decisions.map(({ reason }) => reason),
      ...result.incidents.flatMap(({ incident }) => [incident.outcome, incident.ticketGap ?? '', incident.ticket?.reason ?? '']),
    ];
    expect(record.filter((text) => text.includes(action))).not.toEqual([]);
    // Without UpdateItem triage can neither start an incident nor say so on it: the decision's record alone tells.
    if (action !== 'dynamodb:UpdateItem' || name !== 'triage') {
      expect(result.expectations.find(({ what }) => what === 'everything came to an end')).toMatchObject({ held: true });
    }
  });
});

function scenario(name: string): Scenario {
  return readScenario(join(ROOT, `workflows/quarantine-bucket/scenarios/${name}.json`));
}

function actionsOf(name: string): readonly string[] {
  const statements: unknown = parse(readFileSync(join(ROOT, 'functions', name, 'role.yml'), 'utf8'));
  const configured = name === 'ticket' ? trackerStatements(stackOf(ROOT).config.trackers) : [];
  // What the configuration has not named is not in a role: member accounts, signers.
  const own = (statements as readonly { readonly Action: readonly string[]; readonly Resource: unknown }[]).filter(({ Resource }) => !(typeof Resource === 'object' && Resource !== null && 'Config' in Resource));
  return [...own, ...configured].flatMap((statement) => statement.Action);
}
