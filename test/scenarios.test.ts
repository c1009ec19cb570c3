import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { playScenario } from '../sandbox/scenario/play.ts';
import { readScenario, ROOT, scenarioFiles } from '../sandbox/scenario/scenario.ts';
import { addUsage, noUsage } from './usage.ts';

/** Every scenario of every playbook, on the real engine, with waits skipped. */
const entered = new Set<string>();
const usage = noUsage();
const files = scenarioFiles().map((path) => ({ name: readScenario(path).name, path }));

/** What no scenario uses, and why a role has it all the same; most is used in a test that is named. */
const EXCEPTIONS: readonly (readonly [which: RegExp, why: string])[] = [
  [/ (logs|xray):/, 'Lambda and Step Functions write logs and traces themselves: no call of the code'],
  [/ lambda:InvokeFunction \S*-dead-letter$|^dead-letter /, 'where a function fails for good: test/lost-events.test.ts'],
  [/^audit /, 'reading: functions/audit/read-only.test.ts plays every operation as this role'],
  [/^reconcile |^read (cloudtrail|guardduty):/, 'what EventBridge missed: test/lost-events.test.ts'],
  [/^respond (lambda:InvokeFunction \S*-(archive|triage)$|sqs:)/, 'redriving: test/lost-events.test.ts, test/ticket-lifecycle.test.ts'],
  [/ \S*333344445555\S*$/, 'the second member: test/accounts.test.ts'],
  [/^(contain|read) s3:(GetAccessPoint|GetAccessPointPolicy|ListAllMyBuckets) /, 'the member has no access point, and no lifted account block; at home they are read'],
  [/^contain s3:PutBucketPolicy /, 'level full: test/accounts.test.ts'],
  [/^(contain|quarantine-bucket-apply|revoke-share-links-apply) s3:DeleteBucketPolicy /, 'only a restore to no policy at all deletes one: functions/quarantine-bucket-apply, test/share/urls.test.ts'],
  [/^probe s3:ListBucket /, 'no call: with it S3 answers 404 and not 403 for a name that no object has, which is how an empty bucket is probed'],
  [/^quarantine-bucket-plan dynamodb:BatchGetItem /, 'the epochs of links to the bucket, where there is a share service: test/share/playbook.test.ts'],
  [/^ask-approval states:SendTask(Failure|Success) /, 'an answer that came before the token was kept: test/responders'],
  [/^ticket (guardduty:UnarchiveFindings|ssm:DescribeOpsItems) /, 'an incident that opens again, a creation that was not answered: test/trackers.test.ts'],
  [/^seal s3:(GetObject \S*\/seals\/\*|ListBucket \S*)$/, 'a number that another sealer took, a record that is missing: test/sealing.test.ts'],
  [/^archive (s3:PutObject \S*\/records\/decisions\/\*|dynamodb:UpdateItem \S*|writes ((DECISION|INCIDENT)#\*|UNSEALED#decisions))$/, 'decisions are batched later than a scenario lasts, and what ends an execution from outside is no scenario: test/evidence.test.ts'],
  [/^contain-principal-apply iam:DeleteRolePolicy /, 'a role of the home account that is given back: member-account gives one back in a member, by the same code'],
  [/ (reads|writes) (OWNER|PSEUDONYM)#\*$/, 'who keeps a record puts pseudonyms for the owners that it names: test/evidence.test.ts'],
  [/^(\S+ writes|seal reads) ANNOUNCED#\S+$/, 'a record that is written again, with other bytes: test/sealing.test.ts'],
  [/^ask-approval reads TOKEN#\*$/, 'an answer that came before the token was kept: test/responders'],
  [/^contain-principal-plan reads BUDGETS$/, 'what is left of the budgets is told in a plan by hand: test/responders has those of a bucket'],
  [/^(triage writes|record deletes) WAITING$/, 'what comes while something runs: test/waiting-signals.test.ts'],
  [/^respond (reads|writes|deletes) (SEEN#\*|PLAN#\*|LEDGER#\*|TARGET#share:\*:owner\/\*)$/, 'a plan by hand: test/responders; erasing an owner: test/evidence.test.ts'],
  [/^revoke-share-links-\w+ dynamodb:\w+ \S*:table\/there-is-none$/, 'where no epochs are configured the name of their table is one that nothing has'],
];

describe('scenarios', () => {
  it.concurrent.each(files)('$name ends as it says', async ({ path }) => {
    // In the other one it is the bucket's own policy that refuses.
    const takesAway = readScenario(path).failures.length > 0 || path.endsWith('/refuses-to-be-read.json');
    const result = await playScenario(path, {
      clock: 'skipping',
      onEnd: (account) => {
        const seen = noUsage();
        addUsage(seen, account);
        for (const kind of ['granted', 'used', ...(takesAway ? [] : (['refused'] as const))] as const) for (const one of seen[kind]) usage[kind].add(one);
      },
    });
    for (const state of result.statesEntered) entered.add(state);
    expect(result.expectations.filter(({ held }) => !held)).toEqual([]);
  });

  it('enter every state of every workflow', () => {
    expect(statesOfAllWorkflows().filter((state) => !entered.has(state))).toEqual([]);
  });

  it('use every permission that a role has, on every resource of it', () => {
    const unused = [...usage.granted].filter((one) => !usage.used.has(one));
    expect(unused.filter((one) => !EXCEPTIONS.some(([which]) => which.test(one))).toSorted()).toEqual([]);
    expect(EXCEPTIONS.filter(([which]) => ![...usage.granted].some((one) => which.test(one)))).toEqual([]);
  });

  it('lack no permission', () => {
    expect([...usage.refused].toSorted()).toEqual([]);
  });

  afterAll(() => entered.clear());
});

function statesOfAllWorkflows(): readonly string[] {
  return readdirSync(join(ROOT, 'workflows')).flatMap((playbook) => {
    const workflow = JSON.parse(readFileSync(join(ROOT, 'workflows', playbook, 'workflow.asl.json'), 'utf8')) as { readonly States: Readonly<Record<string, unknown>> };
    return Object.keys(workflow.States).map((state) => `${playbook}:${state}`);
  });
}
