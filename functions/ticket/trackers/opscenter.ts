import { CreateOpsItemCommand, DescribeOpsItemsCommand, GetOpsItemCommand, OpsItemAlreadyExistsException, OpsItemNotFoundException, UpdateOpsItemCommand, type OpsItem, type OpsItemDataValue, type SSMClient } from '@aws-sdk/client-ssm';
import { createHash } from 'node:crypto';
import type { TicketSeverity } from '../../../core/ticket/document.ts';
import { plainText } from '../../../core/ticket/markup/plain.ts';
import { fromAws } from './aws.ts';
import { type Draft, type Tracker, TrackerError } from './port.ts';

/**
 * AWS Systems Manager OpsCenter. An OpsItem has no comments: its description is the suite's and is put anew, until somebody
 * edits it. From then on it is theirs, and what the suite has to say stands beside it, in the operational data.
 *
 * Its deduplication string is the incident, so that a create whose answer was lost does not make a second one; once an
 * OpsItem is resolved AWS would, so it is also searched for.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html (Title 1–1024, Description 1–2048)
 */
export function opscenter(name: string, client: SSMClient): Tracker {
  const get = async (id: string): Promise<OpsItem | null> => {
    try {
      return (await client.send(new GetOpsItemCommand({ OpsItemId: id }))).OpsItem ?? null;
    } catch (error) {
      if (error instanceof OpsItemNotFoundException) return null;
      throw error;
    }
  };
  const setStatus = async (id: string, status: 'Open' | 'Resolved', draft: Draft) => {
    await fromAws(name, false, () => client.send(new UpdateOpsItemCommand({ OpsItemId: id, Status: status, OperationalData: dataOf(draft) })));
  };

  return {
    shape: { title: 1024, limit: 2048, size: (document) => plainText(document).length },
    check: async () => {
      await fromAws(name, false, () => client.send(new DescribeOpsItemsCommand({ MaxResults: 1 })));
      return 'OpsCenter answers';
    },
    create: async (draft) => {
      const body = plainText(draft.document);
      const OpsItemId = await fromAws(name, false, async () => {
        try {
          const made = await client.send(new CreateOpsItemCommand({ Title: draft.title, Description: body, Severity: SEVERITY[draft.severity], Category: 'Security', Source: 'Stopbath', OperationalData: { ...dedupOf(draft), ...dataOf(draft) } }));
          return made.OpsItemId;
        } catch (error) {
          if (error instanceof OpsItemAlreadyExistsException) return error.OpsItemId;
          throw error;
        }
      });
      if (OpsItemId === undefined) throw new TrackerError('unanswered', `${name}: OpsCenter opened an OpsItem and did not say which`);
      return { id: OpsItemId, url: null, body: digestOf(body) };
    },
    find: async (draft) => {
      const Values = [JSON.stringify({ key: INCIDENT, value: draft.incident })];
      const { OpsItemSummaries = [] } = await fromAws(name, false, () => client.send(new DescribeOpsItemsCommand({ OpsItemFilters: [{ Key: 'OperationalData', Operator: 'Equal', Values }] })));
      const id = OpsItemSummaries.at(-1)?.OpsItemId;
      return id === undefined ? null : { id, url: null };
    },
    read: async (id) => {
      const item = await fromAws(name, false, () => get(id));
      return item && { status: CLOSED.has(item.Status ?? '') ? 'closed' : 'open', severity: severityOf(item.Severity), body: digestOf(item.Description ?? '') };
    },
    rewrite: async (id, draft, ours) =>
      await fromAws(name, false, async () => {
        const [item, body] = [await get(id), plainText(draft.document)];
        const there = digestOf(item?.Description ?? '');
        if (there === digestOf(body)) return there;
        const edited = ours !== null && there !== ours;
        const beside = { [NEWS]: { Value: body, Type: 'String' } } satisfies Record<string, OpsItemDataValue>;
        await client.send(new UpdateOpsItemCommand({ OpsItemId: id, ...(edited ? {} : { Description: body }), OperationalData: { ...dataOf(draft), ...(edited ? beside : {}) } }));
        return edited ? ours : digestOf(body);
      }),
    setSeverity: async (id, severity) => {
      await fromAws(name, false, () => client.send(new UpdateOpsItemCommand({ OpsItemId: id, Severity: SEVERITY[severity] })));
    },
    close: async (id, draft) => await setStatus(id, 'Resolved', draft),
    reopen: async (id, draft) => await setStatus(id, 'Open', draft),
  };
}

const SEVERITY: Readonly<Record<TicketSeverity, '1' | '2' | '3' | '4'>> = { critical: '1', high: '2', medium: '3', low: '4' };
/** @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_OpsItem.html (Status) */
const CLOSED: ReadonlySet<string> = new Set(['Resolved', 'Closed', 'Rejected']);
/** An ARN's own limit, and far under the 20 KB of a value. */
const LONGEST_ARN = 2048;
const INCIDENT = 'stopbath-incident';
const NEWS = 'stopbath-latest';

function severityOf(number: string | undefined): TicketSeverity | null {
  return (['critical', 'high', 'medium', 'low'] as const).find((severity) => SEVERITY[severity] === number) ?? null;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Only at creation: AWS does not let it be changed. */
function dedupOf({ incident }: Draft): Record<string, OpsItemDataValue> {
  return { '/aws/dedup': { Value: JSON.stringify({ dedupString: incident }), Type: 'SearchableString' } };
}

function dataOf({ incident, target, status }: Draft): Record<string, OpsItemDataValue> {
  return {
    '/aws/resources': { Value: JSON.stringify([{ arn: target.slice(0, LONGEST_ARN) }]), Type: 'SearchableString' },
    [INCIDENT]: { Value: incident, Type: 'SearchableString' },
    'stopbath-status': { Value: status, Type: 'SearchableString' },
  };
}
