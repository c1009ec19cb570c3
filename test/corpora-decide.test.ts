/** Events that nobody of this project wrote: what is decided about them, rule by rule and technique by technique. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { strength } from '../core/decide.ts';
import { decided } from './decide/builders.ts';

const CORPORA = `${import.meta.dirname}/../../shared/corpora/cloudtrail`;

function rowsOf<T>(file: string, schema: z.ZodType<T>): readonly T[] {
  const path = `${CORPORA}/${file}`;
  if (!existsSync(path)) {
    process.stderr.write(`not run: ${file} of ../shared/corpora/cloudtrail (the folder is absent)\n`);
    return [];
  }
  return readFileSync(path, 'utf8').trim().split('\n').map((line) => schema.parse(JSON.parse(line)));
}

/** Rules that are about something else than exposed pictures and blinded defence, or contradict what is decided on purpose. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'AWS.CloudTrail.Created': 'a trail that is made adds to the record',
  'AWS.CloudTrail.Password.Policy.Discovery': 'reading; and the rows are in lower case, as no source of ours sends them',
  'AWS.CloudTrail.PasswordSpraying': 'failed calls, by a threshold over many; failed calls start nothing here',
  'AWS.CloudTrail.EnableRegion': 'opens no picture and blinds nothing',
  'AWS.CloudTrail.SES.CheckIdentityVerifications': 'reading in a service without pictures',
  'AWS.CloudTrail.SES.CheckSESSendingEnabled': 'reading in a service without pictures',
  'AWS.CloudTrail.SES.ListIdentities': 'reading in a service without pictures',
  'AWS.CloudTrail.UserAccessKeyAuth': 'that a user has a key is no event of ours',
  'AWS.CloudTrail.CodebuildProjectMadePublic': 'build projects hold no pictures',
  'AWS.Console.GetSigninToken.Abuse': 'a matter of session policy, not of exposure',
  'AWS.Console.RootLoginFailed': 'failed calls start nothing; its negative is a root sign-in, which does',
  'AWS.Console.Sign-In': "single sign-on's own watch",
  'AWS.EC2.Monitoring': 'compute',
  'AWS.ECR.CRUD': 'container images',
  'AWS.ECR.EVENTS': 'container images',
  'AWS.CloudTrail.IAMAssumeRoleBlacklistIgnored': 'a list of roles that an installation has to name',
  'AWS.Modify.Cloud.Compute.Infrastructure': 'compute',
  'AWS.CloudTrail.NetworkACLPermissiveEntry': 'networks',
  'AWS.RDS.ClusterFailover': 'databases',
  'AWS.RDS.ManualSnapshotCreated': 'databases',
  'AWS.RDS.SnapshotExport': 'databases',
  'AWS.S3.CopyObjectWithClientSideEncryption': 'ransom of single objects is for GuardDuty (Impact:S3) to tell',
  'AWS.SecretsManager.BatchRetrieveSecrets': 'secrets',
  'AWS.SSM.DistributedCommand': 'compute',
  'AWS.STS.GetSessionToken.Misuse': 'sessions',
  'AWS.CloudTrail.VPCE.AccessDenied': 'failed calls start nothing',
  'AWS.CloudTrail.VPCE.S3ExternalIP': 'reading by who may read',
  'Retrieve.SSO.access.token': 'sessions',
};

/** Whose the organisations in these rows are: its own, and one that it trusts. */
const HOUSE = { organizationId: 'o-xxxxxxxxxx', trustedSources: ['o-yyyyyyyyyy'] };

describe('detection rules of others (panther)', () => {
  const rows = rowsOf('panther.jsonl', z.looseObject({ rule_id: z.string(), test_name: z.string(), expected: z.boolean(), log: z.unknown() }));
  const rules = Map.groupBy(rows, (row) => row.rule_id);

  it('prints its score by rule, and what is left out with the reason', () => {
    const lines = [...rules].map(([rule, cases]) => {
      const right = cases.filter(({ expected, log }) => expected === strength(decided(log, HOUSE).decision) > strength('record')).length;
      return rule in LEFT_OUT ? `left out  ${rule}: ${LEFT_OUT[rule] ?? ''}` : `${right}/${cases.length}  ${rule}`;
    });
    if (lines.length > 0) process.stdout.write(`${lines.toSorted().join('\n')}\n`);
    expect(Object.keys(LEFT_OUT).filter((rule) => rows.length > 0 && !rules.has(rule))).toEqual([]);
  });

  it.each(rows.filter(({ rule_id }) => !(rule_id in LEFT_OUT)))('$rule_id: $test_name', ({ expected, log }) => {
    const { decision } = decided(log, HOUSE);
    if (expected) expect(['observe', 'approve', 'contain']).toContain(decision);
    else expect(['ignore', 'record']).toContain(decision);
  });
});

describe('attack techniques as they were recorded (stratus-red-team)', () => {
  const Event = z.looseObject({ eventTime: z.string(), eventName: z.string(), errorCode: z.string().optional() });
  const rows = rowsOf('stratus_detonations.jsonl', z.looseObject({ technique: z.string(), events: z.array(Event) }));

  it('are decided as the checked file says, which was read line by line', () => {
    if (rows.length === 0) return;
    const lines = rows.flatMap(({ technique, events }) => {
      const inTime = events.toSorted((one, other) => Date.parse(one.eventTime) - Date.parse(other.eventTime));
      const kinds = Map.groupBy(inTime, (event) => {
        const { decision, trigger } = decided(event);
        return `${decision.padEnd(8)} ${event.eventName}${event.errorCode === undefined ? '' : ` (${event.errorCode})`}${trigger === null ? '' : `  ${trigger}`}`;
      });
      return [technique, ...[...kinds].map(([kind, same]) => `  ${String(same.length).padStart(3)} × ${kind}`)];
    });
    const checked = readFileSync(`${import.meta.dirname}/decide/stratus-red-team.txt`, 'utf8').trimEnd().split('\n');
    expect(lines).toEqual(checked.filter((line) => !line.startsWith('#')));
  });
});

describe('events of other projects (splunk, custodian)', () => {
  const rows = [
    ...rowsOf('splunk_examples.jsonl', z.looseObject({ name: z.string(), event: z.unknown().optional(), event_raw: z.unknown().optional() })).map((row) => ({ name: row.name, event: row.event ?? row.event_raw })),
    ...rowsOf('custodian_eventbridge.jsonl', z.looseObject({ path: z.string(), event: z.unknown() })).map((row) => ({ name: row.path, event: row.event })),
  ];
  it('contain what exposes a bucket, and nothing else', () => {
    const contained = rows.filter(({ event }) => decided(event).decision === 'contain').map(({ name }) => name);
    expect(contained).toEqual(rows.length > 0 ? ['AWS CloudTrail PutBucketAcl'] : []);
  });
});
