import * as sdk from '@aws-sdk/client-ssm';
import { AwsError, operation, type Call, type Need, type Service } from '../service.ts';
import { parameterOperations } from './ssm/parameters.ts';

interface OpsItem extends sdk.OpsItem {
  readonly OpsItemId: string;
  readonly account: string;
}

/**
 * Systems Manager: Parameter Store, and OpsCenter's OpsItems, which are created, read, updated and listed, and which have no comments. The limits are those of
 * the API's own model.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
 */
export function createSsm(): Service {
  const items = new Map<string, OpsItem>();
  const own = (call: Call) => [...items.values()].filter((item) => item.account === accountOf(call));
  const find = (id: string, call: Call): OpsItem => {
    const item = items.get(id);
    if (item?.account !== accountOf(call)) throw new AwsError('OpsItemNotFoundException', `OpsItem ID ${id} not found.`);
    return item;
  };

  return {
    name: 'ssm',
    sdk,
    protocol: 'json-1.1',
    operations: {
      ...parameterOperations(),
      CreateOpsItem: operation<sdk.CreateOpsItemCommandInput, sdk.CreateOpsItemCommandOutput>({
        needs: (_, call) => [{ action: 'ssm:CreateOpsItem', resource: arnOf(call, '*') }],
        run: (input, call) => {
          check(input);
          const twin = duplicateOf(input.OperationalData, own(call));
          if (twin) {
            throw new AwsError('OpsItemAlreadyExistsException', `Opsitem already exists. Similar opsitem ID: ${twin.OpsItemId}`, 400, { OpsItemId: twin.OpsItemId });
          }
          const OpsItemId = `oi-${(items.size + 1).toString(16).padStart(12, '0')}`;
          const OpsItemArn = arnOf(call, OpsItemId);
          const made = { CreatedBy: nameOf(call), CreatedTime: new Date(call.time), Status: 'Open' as const, Version: '1', OpsItemType: '/aws/issue' };
          items.set(OpsItemId, { ...input, ...made, ...modified(call), OpsItemId, OpsItemArn, account: accountOf(call) });
          return { OpsItemId, OpsItemArn };
        },
      }),
      GetOpsItem: operation<sdk.GetOpsItemCommandInput, sdk.GetOpsItemCommandOutput>({
        needs: onItem('GetOpsItem'),
        run: ({ OpsItemId = '' }, call) => ({ OpsItem: find(OpsItemId, call) }),
      }),
      UpdateOpsItem: operation<sdk.UpdateOpsItemCommandInput, sdk.UpdateOpsItemCommandOutput>({
        needs: onItem('UpdateOpsItem'),
        run: ({ OpsItemId = '', OperationalDataToDelete = [], ...input }, call) => {
          const item = find(OpsItemId, call);
          check(input);
          const data = new Map(Object.entries({ ...item.OperationalData, ...input.OperationalData }));
          OperationalDataToDelete.forEach((key) => data.delete(key));
          const OperationalData = Object.fromEntries(data);
          if (dedupString(OperationalData) !== dedupString(item.OperationalData)) throw invalid(DEDUPLICATION, 'cannot be changed once the OpsItem exists');
          const changes = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
          items.set(OpsItemId, { ...item, ...changes, ...modified(call), OperationalData, Version: String(Number(item.Version) + 1) });
          return {};
        },
      }),
      DescribeOpsItems: operation<sdk.DescribeOpsItemsCommandInput, sdk.DescribeOpsItemsCommandOutput>({
        needs: () => [{ action: 'ssm:DescribeOpsItems', resource: '*' }],
        run: ({ OpsItemFilters = [], MaxResults = 50, NextToken }, call) => {
          if (MaxResults < 1 || MaxResults > 50) throw invalid('MaxResults', 'must be between 1 and 50');
          const found = own(call).filter((item) => OpsItemFilters.every((filter) => passes(item, filter))).toReversed();
          const end = Number(NextToken ?? 0) + MaxResults;
          return { OpsItemSummaries: found.slice(end - MaxResults, end), ...(end < found.length ? { NextToken: String(end) } : {}) };
        },
      }),
    },
  };
}

/** Lengths in characters. */
const LIMITS = { Title: 1024, Description: 2048, Source: 128, Category: 64, Severity: 64 } as const;
const STATUSES: ReadonlySet<string> = new Set(Object.values(sdk.OpsItemStatus));
const KEY_LIMIT = 128;
const VALUE_LIMIT = 20 * 1024;
const DEDUPLICATION = '/aws/dedup';
/** The keys of AWS's own that a caller may set. */
const GIVEN_KEYS: ReadonlySet<string> = new Set([DEDUPLICATION, '/aws/resources', '/aws/automations']);

type Content = { readonly [Key in keyof typeof LIMITS]?: string | undefined } & Pick<sdk.UpdateOpsItemCommandInput, 'OperationalData' | 'Priority' | 'Status'>;

function check(input: Content): void {
  for (const field of ['Title', 'Description', 'Source', 'Category', 'Severity'] as const) {
    const value = input[field];
    if (value === undefined) continue;
    const constraint = value.trim() === '' ? 'Member must not be blank' : value.length > LIMITS[field] ? `Member must have length less than or equal to ${LIMITS[field]}` : null;
    if (constraint) throw new AwsError('ValidationException', `1 validation error detected: Value at '${field.toLowerCase()}' failed to satisfy constraint: ${constraint}`);
  }
  if (/aws|amazon|amzn/i.test(input.Source ?? '')) throw invalid('Source', 'must not contain aws, amazon or amzn');
  if (!/^[1-4]$/.test(input.Severity ?? '1')) throw invalid('Severity', 'must be 1, 2, 3 or 4');
  if (input.Priority !== undefined && !(input.Priority >= 1 && input.Priority <= 5)) throw invalid('Priority', 'must be between 1 and 5');
  if (!STATUSES.has(input.Status ?? 'Open')) throw invalid('Status', `must be one of ${[...STATUSES].join(', ')}`);
  for (const [key, { Value = '' }] of Object.entries(input.OperationalData ?? {})) {
    if (/^\/?(?:amazon|aws|amzn|ssm)/i.test(key) && !GIVEN_KEYS.has(key)) throw invalid('OperationalData', `key ${key} must not begin with amazon, aws, amzn or ssm`);
    if (key.length > KEY_LIMIT) throw invalid('OperationalData', `key ${key} is longer than ${KEY_LIMIT} characters`);
    if (Buffer.byteLength(Value) > VALUE_LIMIT) throw invalid('OperationalData', `value of ${key} is larger than 20 KB`);
  }
}

/** An OpsItem with the same deduplication string that is still worked on; a resolved one makes way for a new one. */
function duplicateOf(data: sdk.OpsItem['OperationalData'], items: readonly OpsItem[]): OpsItem | undefined {
  const key = dedupString(data);
  return key === null ? undefined : items.find((item) => (item.Status === 'Open' || item.Status === 'InProgress') && dedupString(item.OperationalData) === key);
}

function dedupString(data: sdk.OpsItem['OperationalData']): string | null {
  try {
    const parsed: unknown = JSON.parse(data?.[DEDUPLICATION]?.Value ?? 'null');
    return typeof parsed === 'object' && parsed !== null && 'dedupString' in parsed ? String(parsed.dedupString) : null;
  } catch {
    throw invalid('OperationalData', `value of ${DEDUPLICATION} must be JSON: {"dedupString": "…"}`);
  }
}

/** Which filters there are, and what of an item each looks at. */
function valuesOf(item: OpsItem, key: sdk.OpsItemFilterKey | undefined): readonly string[] {
  const data = Object.entries(item.OperationalData ?? {});
  switch (key) {
    case 'OpsItemId':
    case 'Title':
    case 'Source':
    case 'Severity':
    case 'Category':
    case 'CreatedBy':
    case 'Status':
      return [item[key] ?? ''];
    case 'CreatedTime':
    case 'LastModifiedTime':
      return [item[key]?.toISOString() ?? ''];
    case 'OperationalDataKey':
      return data.map(([name]) => name);
    case 'OperationalDataValue':
      return searchable(data).map(([, { Value = '' }]) => Value);
    case 'OperationalData':
      return searchable(data).map(([name, { Value = '' }]) => JSON.stringify({ key: name, value: Value }));
    case 'ResourceId':
      return [item.OperationalData?.['/aws/resources']?.Value ?? ''];
    default:
      throw new AwsError('NotImplemented', `The sandbox does not serve the filter ${key}`, 501);
  }
}

function passes(item: OpsItem, { Key, Values = [], Operator }: sdk.OpsItemFilter): boolean {
  const wanted = Key === 'OperationalData' ? Values.map(pairOf) : Values;
  const compare: Readonly<Record<string, (value: string, entry: string) => boolean>> = {
    Equal: (value, entry) => value === entry,
    Contains: (value, entry) => value.includes(entry),
    GreaterThan: (value, entry) => Date.parse(value) > Date.parse(entry),
    LessThan: (value, entry) => Date.parse(value) < Date.parse(entry),
  };
  const test = compare[Operator ?? ''];
  if (!test) throw invalid('Operator', 'must be Equal, Contains, GreaterThan or LessThan');
  return valuesOf(item, Key).some((value) => wanted.some((entry) => test(value, entry)));
}

/** `{"key": …, "value": …}` in one spelling, whatever its white space and order. */
function pairOf(text: string): string {
  try {
    const { key, value } = JSON.parse(text);
    return JSON.stringify({ key, value });
  } catch {
    throw invalid('OperationalData', 'filter must be {"key":"key_name","value":"a_value"}');
  }
}

function searchable(data: readonly [string, sdk.OpsItemDataValue][]): readonly [string, sdk.OpsItemDataValue][] {
  return data.filter(([, value]) => value.Type === 'SearchableString');
}

function onItem(action: string): (input: { readonly OpsItemId: string | undefined }, call: Call) => readonly Need[] {
  return ({ OpsItemId }, call) => [{ action: `ssm:${action}`, resource: arnOf(call, OpsItemId ?? '*') }];
}

function arnOf(call: Call, id: string): string {
  return `arn:aws:ssm:${call.region}:${accountOf(call)}:opsitem/${id}`;
}

function accountOf(call: Call): string {
  return 'account' in call.caller ? call.caller.account : call.world.account;
}

function nameOf(call: Call): string {
  return 'arn' in call.caller ? call.caller.arn : call.caller.kind;
}

function modified(call: Call): Pick<sdk.OpsItem, 'LastModifiedBy' | 'LastModifiedTime'> {
  return { LastModifiedBy: nameOf(call), LastModifiedTime: new Date(call.time) };
}

function invalid(parameter: string, problem: string): AwsError {
  return new AwsError('OpsItemInvalidParameterException', `${parameter} ${problem}`, 400, { ParameterNames: [parameter] });
}
