import { CloudFrontClient, CreateInvalidationCommand, GetDistributionCommand, ListDistributionsCommand } from '@aws-sdk/client-cloudfront';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, expect, it } from 'vitest';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { readSettings } from '../../aws/settings.ts';
import { cdnKind } from '../../aws/share/cdn.ts';
import type { ShareContext } from '../../aws/share/kind.ts';
import { incidentAbout } from './stage.ts';

const cloudfront = mockClient(CloudFrontClient);
afterAll(() => cloudfront.restore());

const settings = readSettings({ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'test', STOPBATH_NAME: 'stopbath', STOPBATH_ACCOUNT: '111122223333', STOPBATH_TABLE: 'table', STOPBATH_EVIDENCE_BUCKET: 'evidence' });
const tools = { settings, clients: createClients('us-east-1') } as unknown as Tools;
const context: ShareContext = {
  incident: incidentAbout('inc-1', {}, {}),
  direction: 'contain',
  execution: 'inc-1-contain-1',
  scope: { kind: 'owner', ownerId: 'anna' },
  reach: [{ bucket: 'family', prefixes: ['public/a/', 'thumbs/b/'], keys: [] }, { bucket: 'prints', prefixes: ['c/'], keys: ['d.jpg'] }],
  reachComplete: true,
};
const origin = (bucket: string, OriginPath: string) => ({ Id: `${bucket}${OriginPath}`, DomainName: `${bucket}.s3.us-east-1.amazonaws.com`, OriginPath, OriginAccessControlId: 'OAC' });

it('empties a distribution once, of all that it serves by whichever origin and bucket, so that nothing keeps its copies', async () => {
  cloudfront.on(ListDistributionsCommand).resolves({ DistributionList: { Marker: '', MaxItems: 100, IsTruncated: false, Quantity: 1, Items: [{ Id: 'EONE', ARN: 'arn:aws:cloudfront::111122223333:distribution/EONE', Origins: { Quantity: 3, Items: [origin('family', '/public'), origin('family', '/thumbs'), origin('prints', '')] } }] } } as never);
  cloudfront.on(GetDistributionCommand).resolves({});
  const { changes } = await cdnKind.plan(context, tools);
  expect(changes.map(({ setting, after }) => ({ setting, after }))).toEqual([{ setting: 'cdn:EONE', after: { items: ['/a/*', '/b/*', '/c/*', '/d.jpg'] } }]);
});

it('names an invalidation by what it holds, so that CloudFront takes the next one of the same execution', async () => {
  cloudfront.on(CreateInvalidationCommand).rejects(new Error('far enough'));
  for (const items of [['/a/*'], ['/a/*'], ['/b/*']]) await cdnKind.write({ setting: 'cdn:EONE', before: null, after: { items } }, context, tools).catch(() => null);
  const [first, again, other] = cloudfront.commandCalls(CreateInvalidationCommand).map(({ args }) => args[0].input.InvalidationBatch?.CallerReference);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});
