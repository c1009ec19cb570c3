import * as sdk from '@aws-sdk/client-ssm';
import { AwsError, operation, type Call, type Need, type Service } from '../service.ts';

interface OpsItem extends sdk.OpsItem {
  readonly OpsItemId: string;
}

/** @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html (lengths, in characters) */
const LIMITS = { Title: 1024, Description: 2048, Source: 128 } as const;
const SEVERITIES: ReadonlySet<string> = new Set(['1', '2', '3', '4']);
const DEDUPLICATION = '/aws/dedup';

/**
 * OpsCenter: OpsItems, which are created, read, updated and listed, and which have no comments.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
 */
export function createSsm(): Service {
  const items = new Map<string, OpsItem>();
  const find = (id: string | undefined): OpsItem => {
    const item = items.get(id ?? '');
    if (!item) throw new AwsError('OpsItemNotFoundException', `OpsItem ID ${id} not found.`, 400);
    return item;
  };

  return {
    name: 'ssm',
    sdk,
    protocol: 'json-1.1',
    operations: {
      CreateOpsItem: operation<sdk.CreateOpsItemCommandInput, sdk.CreateOpsItemCommandOutput>({
        needs: (_, call) => [{ action: 'ssm:CreateOpsItem', resource: arnOf(call, '*') }],
        run: (input, call) => {
          check(input, ['Title', 'Description', 'Source']);
          const twin = duplicateOf(input.OperationalData, items.values());
          if (twin) throw new AwsError('OpsItemAlreadyExistsException', `Opsitem already exists. Similar opsitem ID: ${twin.OpsItemId}`, 400, { OpsItemId: twin.OpsItemId });
          const OpsItemId = `oi-${(items.size + 1).toString(16).padStart(12, '0')}`;
          const by = 'arn' in call.caller ? call.caller.arn : call.caller.kind;
          const now = new Date(call.time);
          items.set(OpsItemId, { ...input, OpsItemId, OpsItemArn: arnOf(call, OpsItemId), Status: 'Open', CreatedBy: by, CreatedTime: now, LastModifiedBy: by, LastModifiedTime: now, Version: '1' });
          return { OpsItemId, OpsItemArn: arnOf(call, OpsItemId) };
        },
      }),
      GetOpsItem: operation<sdk.GetOpsItemCommandInput, sdk.GetOpsItemCommandOutput>({
        needs: onItem('GetOpsItem'),
        run: ({ OpsItemId }) => ({ OpsItem: find(OpsItemId) }),
      }),
      UpdateOpsItem: operation<sdk.UpdateOpsItemCommandInput, sdk.UpdateOpsItemCommandOutput>({
        needs: onItem('UpdateOpsItem'),
        run: ({ OpsItemId, OperationalData, OperationalDataToDelete = [], ...changes }, call) => {
          const item = find(OpsItemId);
          check(changes, []);
          const data = Object.entries({ ...item.OperationalData, ...OperationalData }).filter(([key]) => !OperationalDataToDelete.includes(key));
          const by = 'arn' in call.caller ? call.caller.arn : call.caller.kind;
          const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
          items.set(item.OpsItemId, { ...item, ...given, OperationalData: Object.fromEntries(data), LastModifiedBy: by, LastModifiedTime: new Date(call.time), Version: String(Number(item.Version) + 1) });
          return {};
        },
      }),
      DescribeOpsItems: operation<sdk.DescribeOpsItemsCommandInput, sdk.DescribeOpsItemsCommandOutput>({
        needs: () => [{ action: 'ssm:DescribeOpsItems', resource: '*' }],
        run: ({ OpsItemFilters = [] }) => ({ OpsItemSummaries: [...items.values()].filter((item) => OpsItemFilters.every((filter) => passes(item, filter))).toReversed() }),
      }),
    },
  };
}

function arnOf(call: Call, id: string): string {
  return `arn:aws:ssm:${call.region}:${call.world.account}:opsitem/${id}`;
}

function onItem(action: string): (input: { readonly OpsItemId: string | undefined }, call: Call) => readonly Need[] {
  return ({ OpsItemId }, call) => [{ action: `ssm:${action}`, resource: arnOf(call, OpsItemId ?? '*') }];
}

function check(input: { readonly [Key in keyof typeof LIMITS]?: string | undefined } & { readonly Severity?: string | undefined }, required: readonly (keyof typeof LIMITS)[]): void {
  for (const field of ['Title', 'Description', 'Source'] as const) {
    const value = input[field];
    if (value === undefined && !required.includes(field)) continue;
    if (value === undefined || value.length < 1 || value.length > LIMITS[field]) {
      throw new AwsError('ValidationException', `Value at '${field[0]?.toLowerCase()}${field.slice(1)}' failed to satisfy constraint: Member must have length between 1 and ${LIMITS[field]}`, 400);
    }
  }
  if (input.Severity !== undefined && !SEVERITIES.has(input.Severity)) {
    throw new AwsError('OpsItemInvalidParameterException', `Severity ${input.Severity} is not one of 1, 2, 3, 4`, 400, { ParameterNames: ['Severity'] });
  }
}

/** An open OpsItem with the same deduplication string. */
function duplicateOf(data: sdk.CreateOpsItemCommandInput['OperationalData'], items: Iterable<OpsItem>): OpsItem | undefined {
  const key = dedupString(data);
  return key === null ? undefined : [...items].find((item) => item.Status !== 'Resolved' && dedupString(item.OperationalData) === key);
}

function dedupString(data: Readonly<Record<string, sdk.OpsItemDataValue>> | undefined): string | null {
  try {
    const parsed: unknown = JSON.parse(data?.[DEDUPLICATION]?.Value ?? 'null');
    return typeof parsed === 'object' && parsed !== null && 'dedupString' in parsed ? String(parsed.dedupString) : null;
  } catch {
    return null;
  }
}

function passes(item: OpsItem, { Key, Values = [], Operator }: sdk.OpsItemFilter): boolean {
  const value = Key === 'Status' ? item.Status : Key === 'Title' ? item.Title : Key === 'OpsItemId' ? item.OpsItemId : Key === 'Severity' ? item.Severity : Key === 'Source' ? item.Source : undefined;
  if (value === undefined) throw new AwsError('OpsItemInvalidParameterException', `Filter ${Key} is not served by the sandbox`, 400);
  return Operator === 'Contains' ? Values.some((entry) => value.includes(entry)) : Values.includes(value);
}
