import { DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb';
import type { Shares } from '../../core/share/config.ts';
import { lanesOf, type ShareScope } from '../../core/share/scope.ts';
import { codeOf } from '../errors.ts';
import type { Tools } from '../function.ts';

/** The share tables are not what configuration says. Names the table, index or attribute, and where to set it. */
export class ShareTablesError extends Error {
  override readonly name = 'ShareTablesError';
}

type Share = Pick<Tools, 'clients'> & { readonly settings: Pick<Tools['settings'], 'STOPBATH_SHARES'> };

/**
 * Check the share tables before anything is read of them: tables and keys, and for a scope its index.
 *
 * @returns checks a scope, which may be known later; throws as this does
 * @throws {ShareTablesError}
 */
export async function checkShareTables(tools: Share): Promise<(scope: ShareScope) => void> {
  const { links, epochs } = tools.settings.STOPBATH_SHARES;
  const [linkTable, epochTable] = await Promise.all([describe(tools, links.table, 'shares.links.table'), epochs && describe(tools, epochs.table, 'shares.epochs.table')]);
  keyed(linkTable, links.table, [[links.attributes.linkId, 'shares.links.attributes.linkId']]);
  if (epochs && epochTable) keyed(epochTable, epochs.table, [[epochs.attributes.scope, 'shares.epochs.attributes.scope']]);
  return (scope) => {
    for (const { index } of lanesOf(scope).slice(0, 1)) checkIndex(linkTable, tools.settings.STOPBATH_SHARES, index);
  };
}

type IndexOf = keyof Shares['links']['indexes'];

function checkIndex(table: TableDescription, { links }: Shares, index: IndexOf): void {
  const name = links.indexes[index];
  const found = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === name);
  if (!found) {
    const there = table.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName).join(', ') ?? 'none';
    throw new ShareTablesError(`${links.table} has no index ${name}, by which links are found by ${index}; it has ${there}: create it, or set shares.links.indexes.${index} in stopbath.config.json`);
  }
  if (found.IndexStatus !== 'ACTIVE') throw new ShareTablesError(`index ${name} of ${links.table} is ${found.IndexStatus ?? 'not there'}: it does not hold all links yet; start again when it is ACTIVE`);
  const range = index === 'bucket' ? 'objectKey' : 'issuedAt';
  const hash = ({ album: 'albumId', owner: 'ownerId', bucket: 'bucket', issuer: 'issuedBy' } as const)[index];
  keyed(found, `index ${name} of ${links.table}`, [[links.attributes[hash], `shares.links.attributes.${hash}`], [links.attributes[range], `shares.links.attributes.${range}`]]);
}

function keyed(of: Pick<TableDescription, 'KeySchema'>, what: string, wanted: readonly (readonly [name: string, field: string])[]): void {
  const keys = (of.KeySchema ?? []).map(({ AttributeName }) => AttributeName ?? '');
  for (const [position, [name, field]] of wanted.entries()) {
    if (keys[position] === name) continue;
    throw new ShareTablesError(`${what} is keyed by ${keys.join(' and ')}, not by ${wanted.map(([entry]) => entry).join(' and ')}: set ${field} in stopbath.config.json to what the service calls it`);
  }
  if (keys.length > wanted.length) throw new ShareTablesError(`${what} is keyed by ${keys.join(' and ')}: the contract keys it by ${wanted.map(([entry]) => entry).join(' and ')} alone`);
}

async function describe(tools: Share, table: string, field: string): Promise<TableDescription> {
  try {
    const { Table } = await tools.clients.dynamo.send(new DescribeTableCommand({ TableName: table }));
    return Table ?? {};
  } catch (error) {
    if (codeOf(error) !== 'ResourceNotFoundException') throw error;
    throw new ShareTablesError(`there is no table ${table}: set ${field} in stopbath.config.json`, { cause: error });
  }
}
