import { CreateOpsItemCommand, DescribeOpsItemsCommand, GetOpsItemCommand, OpsItemAlreadyExistsException, SSMClient, UpdateOpsItemCommand, type CreateOpsItemCommandInput, type OpsItemFilter } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skippingClock } from '../clock.ts';
import { startSandbox } from '../sandbox.ts';
import type { Sandbox } from '../sandbox.ts';

let sandbox: Sandbox;
let ssm: SSMClient;

beforeEach(async () => {
  sandbox = await startSandbox({ clock: skippingClock() });
  ssm = new SSMClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin, maxAttempts: 2 });
});
afterEach(async () => {
  ssm.destroy();
  await sandbox.stop();
});

const dedup = (dedupString: string) => ({ '/aws/dedup': { Value: JSON.stringify({ dedupString }), Type: 'SearchableString' as const } });
const open = (more: Partial<CreateOpsItemCommandInput> = {}) => ssm.send(new CreateOpsItemCommand({ Title: 'Bucket is public', Description: 'what was seen', Source: 'Stopbath', ...more })).then((output) => output.OpsItemId ?? '');
const find = (...filters: readonly OpsItemFilter[]) =>
  ssm.send(new DescribeOpsItemsCommand({ OpsItemFilters: [...filters] })).then((output) => output.OpsItemSummaries?.map((item) => item.Title));
const equal = (Key: OpsItemFilter['Key'], ...Values: readonly string[]): OpsItemFilter => ({ Key, Values: [...Values], Operator: 'Equal' });

describe('OpsItems', () => {
  it('are opened, changed and resolved, each change being a version', async () => {
    const OpsItemId = await open({ Severity: '2', Category: 'Security', Priority: 1, OperationalData: { bucket: { Value: 'family', Type: 'SearchableString' }, drop: { Value: 'x', Type: 'String' } } });
    expect(OpsItemId).toMatch(/^oi-[0-9a-f]{12}$/);
    expect((await ssm.send(new GetOpsItemCommand({ OpsItemId }))).OpsItem).toMatchObject({
      OpsItemId, Title: 'Bucket is public', Status: 'Open', Severity: '2', Priority: 1, Version: '1', Source: 'Stopbath',
      OpsItemArn: `arn:aws:ssm:us-east-1:111122223333:opsitem/${OpsItemId}`, CreatedBy: 'arn:aws:iam::111122223333:user/admin', CreatedTime: expect.any(Date),
    });
    await sandbox.clock.sleep(60_000);
    await ssm.send(new UpdateOpsItemCommand({ OpsItemId, Status: 'Resolved', OperationalData: { bucket: { Value: 'other', Type: 'String' } }, OperationalDataToDelete: ['drop'] }));
    const { OpsItem } = await ssm.send(new GetOpsItemCommand({ OpsItemId }));
    expect(OpsItem).toMatchObject({ Title: 'Bucket is public', Status: 'Resolved', Version: '2', OperationalData: { bucket: { Value: 'other' } } });
    expect(Object.keys(OpsItem?.OperationalData ?? {})).toEqual(['bucket']);
    expect((OpsItem?.LastModifiedTime?.getTime() ?? 0) - (OpsItem?.CreatedTime?.getTime() ?? 0)).toBeGreaterThanOrEqual(60_000);
  });

  it('are one for a deduplication string while it is worked on, and a new one after that', async () => {
    const first = await open({ OperationalData: dedup('incident-1') });
    const again = await open({ OperationalData: dedup('incident-1') }).catch((error: unknown) => error);
    expect(again).toBeInstanceOf(OpsItemAlreadyExistsException);
    expect(again).toMatchObject({ OpsItemId: first });
    await ssm.send(new UpdateOpsItemCommand({ OpsItemId: first, Status: 'InProgress' }));
    await expect(open({ OperationalData: dedup('incident-1') })).rejects.toMatchObject({ OpsItemId: first });
    expect(await open({ OperationalData: dedup('incident-2') })).not.toBe(first);
    await ssm.send(new UpdateOpsItemCommand({ OpsItemId: first, Status: 'Resolved' }));
    expect(await open({ OperationalData: dedup('incident-1') })).not.toBe(first);
  });

  it('keep their deduplication string', async () => {
    const OpsItemId = await open({ OperationalData: dedup('incident-1') });
    await ssm.send(new UpdateOpsItemCommand({ OpsItemId, OperationalData: dedup('incident-1') }));
    await expect(ssm.send(new UpdateOpsItemCommand({ OpsItemId, OperationalData: dedup('incident-2') }))).rejects.toMatchObject({ name: 'OpsItemInvalidParameterException' });
  });

  it('are found by what they say, newest first, page by page', async () => {
    const id = await open({ Title: 'one', Severity: '1', OperationalData: { 'stopbath-incident': { Value: 'i-1', Type: 'SearchableString' }, secret: { Value: 'i-1', Type: 'String' }, '/aws/resources': { Value: '[{"arn":"arn:aws:s3:::family"}]', Type: 'SearchableString' } } });
    await sandbox.clock.sleep(60_000);
    const between = new Date(sandbox.clock.now()).toISOString();
    await sandbox.clock.sleep(60_000);
    await open({ Title: 'two', Source: 'Rosa', OperationalData: { secret: { Value: 'x', Type: 'String' } } });
    expect(await find()).toEqual(['two', 'one']);
    expect(await find(equal('Status', 'Resolved'))).toEqual([]);
    expect(await find(equal('Status', 'Open', 'InProgress'), equal('Severity', '1'))).toEqual(['one']);
    expect(await find(equal('OpsItemId', id))).toEqual(['one']);
    expect(await find(equal('Source', 'Rosa'))).toEqual(['two']);
    expect(await find({ Key: 'Title', Operator: 'Contains', Values: ['tw'] })).toEqual(['two']);
    expect(await find({ Key: 'CreatedTime', Operator: 'LessThan', Values: [between] })).toEqual(['one']);
    expect(await find(equal('OperationalDataKey', 'secret'))).toEqual(['two', 'one']);
    expect(await find(equal('OperationalData', '{ "value": "i-1", "key": "stopbath-incident" }'))).toEqual(['one']);
    expect(await find(equal('OperationalData', '{"key":"secret","value":"i-1"}'))).toEqual([]);
    expect(await find({ Key: 'ResourceId', Operator: 'Contains', Values: ['arn:aws:s3:::family'] })).toEqual(['one']);
    const page = await ssm.send(new DescribeOpsItemsCommand({ MaxResults: 1 }));
    expect(page.OpsItemSummaries?.[0]?.Title).toBe('two');
    const last = await ssm.send(new DescribeOpsItemsCommand({ MaxResults: 1, NextToken: page.NextToken }));
    expect([last.OpsItemSummaries?.[0]?.Title, last.NextToken]).toEqual(['one', undefined]);
  });

  it.each<[string, Partial<CreateOpsItemCommandInput>, string]>([
    ['a title that is too long', { Title: 'x'.repeat(1025) }, 'ValidationException'],
    ['a description that is too long', { Description: 'x'.repeat(2049) }, 'ValidationException'],
    ['a blank source', { Source: ' ' }, 'ValidationException'],
    ['a source in the name of AWS', { Source: 'my-aws-tool' }, 'OpsItemInvalidParameterException'],
    ['a severity that is none', { Severity: 'high' }, 'OpsItemInvalidParameterException'],
    ['a priority that is none', { Priority: 6 }, 'OpsItemInvalidParameterException'],
    ['a key that is AWS’s', { OperationalData: { '/aws/other': { Value: 'x' } } }, 'OpsItemInvalidParameterException'],
    ['a key that is too long', { OperationalData: { ['k'.repeat(129)]: { Value: 'x' } } }, 'OpsItemInvalidParameterException'],
    ['a value above 20 KB', { OperationalData: { k: { Value: 'é'.repeat(10_241) } } }, 'OpsItemInvalidParameterException'],
  ])('refuse %s', async (_, content, name) => {
    await expect(open(content)).rejects.toMatchObject({ name });
    expect(await find()).toEqual([]);
  });

  it('are of one account, and say so where there is none', async () => {
    const OpsItemId = await open();
    const foreign = new SSMClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.foreign.admin, maxAttempts: 2 });
    await expect(foreign.send(new GetOpsItemCommand({ OpsItemId }))).rejects.toMatchObject({ name: 'OpsItemNotFoundException' });
    expect((await foreign.send(new DescribeOpsItemsCommand({}))).OpsItemSummaries).toEqual([]);
    foreign.destroy();
  });
});
