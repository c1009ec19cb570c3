import { LookupEventsCommand, CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { GuardDutyClient, ListDetectorsCommand } from '@aws-sdk/client-guardduty';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, expect, it } from 'vitest';
import { toolsOf } from '../../test/trackers/table.ts';
import { ROOT } from '../../sandbox/deploy.ts';
import { reconcile } from './reconcile.ts';

const mocks = [mockClient(CloudTrailClient), mockClient(GuardDutyClient), mockClient(SFNClient), mockClient(DynamoDBDocumentClient)] as const;
const [trail, guardduty, sfn, table] = mocks;
afterAll(() => mocks.forEach((mock) => mock.restore()));

it('gives each source its share of the time, so that one busy account hides no other', async () => {
  let left = 600_000;
  // Every page takes a second, and there is always one more; nothing of it is wanted.
  trail.on(LookupEventsCommand).callsFake(() => ((left -= 1000), { Events: [], NextToken: 'more' }));
  guardduty.on(ListDetectorsCommand).resolves({ DetectorIds: [] });
  sfn.on(ListExecutionsCommand).resolves({ executions: [] });
  table.on(GetCommand).resolves({}).on(QueryCommand).resolves({ Items: [] }).on(PutCommand).resolves({});
  const { settings, ...tools } = toolsOf({}, () => '2026-11-24T10:00:00.000Z');
  const { behind } = await reconcile({ ...tools, settings: { ...settings, LAMBDA_TASK_ROOT: ROOT, STOPBATH_REGIONS: ['eu-west-1', 'eu-central-1'] }, remainingMs: () => left });
  expect(behind.map((what) => what.split(':')[0])).toEqual(['cloudtrail/111122223333/us-east-1', 'cloudtrail/111122223333/eu-west-1', 'cloudtrail/111122223333/eu-central-1']);
  expect(behind[0]).toContain('more happened than can be looked at');
  const reached = table.commandCalls(PutCommand).map(({ args: [{ input }] }) => input.Item?.['sk'] as unknown);
  expect(reached).toEqual(['guardduty/111122223333/us-east-1', 'guardduty/111122223333/eu-west-1', 'guardduty/111122223333/eu-central-1']);
  expect(left).toBeGreaterThan(0);
});
