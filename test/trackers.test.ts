import { ArchiveFindingsCommand, GetFindingsCommand, GuardDutyClient, UnarchiveFindingsCommand } from '@aws-sdk/client-guardduty';
import { SNSClient } from '@aws-sdk/client-sns';
import { DescribeOpsItemsCommand, GetOpsItemCommand, SSMClient, UpdateOpsItemCommand } from '@aws-sdk/client-ssm';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trackerSchema } from '../core/ticket/trackers.ts';
import { github } from '../functions/ticket/trackers/github.ts';
import { guardduty } from '../functions/ticket/trackers/guardduty.ts';
import { jira } from '../functions/ticket/trackers/jira.ts';
import { opscenter } from '../functions/ticket/trackers/opscenter.ts';
import type { Draft } from '../functions/ticket/trackers/port.ts';
import { slack } from '../functions/ticket/trackers/slack.ts';
import { sns } from '../functions/ticket/trackers/sns.ts';
import { webhook } from '../functions/ticket/trackers/webhook.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { contract, draftFor, type Seen, type Subject } from './trackers/contract.ts';
import { converse, recorded, shapeOf } from './trackers/rt/conversation.ts';
import { startStandIn } from './trackers/rt/stand-in.ts';
import { requestTrackerSubject } from './trackers/rt/subject.ts';
import { type Fake, fakeGithub, fakeJira, fakeReceiver, fakeSlack, type Work } from './trackers/fakes.ts';

const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:tracker-AbCdEf';
const PRIORITIES = { critical: 'Highest', high: 'High', medium: 'Medium', low: 'Low' };
const now = () => Date.now();
const configOf = <Kind extends string>(kind: Kind, more: object) => {
  const config = trackerSchema().parse({ kind, ...more });
  if (config.kind !== kind) throw new Error(`not ${kind}`);
  return config as Extract<typeof config, { readonly kind: Kind }>;
};

/** A person at a fake: the work itself is at hand. */
function personAt(fake: Fake): Pick<Subject, 'seen' | 'stop' | 'token' | 'complaints'> & { readonly byHand: NonNullable<Subject['byHand']> } {
  const works: Work[] = [];
  const find = (id: string) => works.find((work) => work.id === id);
  return {
    token: fake.token,
    stop: fake.stop,
    complaints: () => fake.complaints,
    seen: (incident) => {
      const found = fake.ticketsOf(incident);
      works.push(...found);
      return Promise.resolve(found.map(({ id, open, body, comments }): Seen => ({ id, open, body, comments })));
    },
    byHand: {
      close: (id) => Promise.resolve(void Object.assign(find(id) ?? {}, { open: false })),
      reopen: (id) => Promise.resolve(void Object.assign(find(id) ?? {}, { open: true })),
      remove: (id) => Promise.resolve(void Object.assign(find(id) ?? {}, { deleted: true })),
    },
  };
}

contract('GitHub Issues', async () => {
  const fake = await fakeGithub();
  const at = (more: object = {}, token = fake.token) => github(configOf('github', { url: fake.url, repository: 'acme/alerts', secret: SECRET, ...more }), 'github', token, now);
  const person = personAt(fake);
  const tracker = at();
  return {
    ...person,
    tracker: { ...tracker, create: async (draft) => await seenBy(person, draft, await tracker.create(draft)) },
    refused: at({}, 'another-token'),
    gone: at({ repository: 'acme/deleted' }),
    byHand: { ...person.byHand, imitate: async (draft) => void (await tracker.create({ ...draft, mark: 'guessed' })) },
  };
});

describe.each(['cloud', 'data-center'] as const)('Jira %s', (edition) => {
  contract(`Jira ${edition}`, async () => {
    const fake = await fakeJira(edition);
    const at = (more: object = {}, token = fake.token) => jira(configOf('jira', { url: fake.url, edition, project: 'SEC', priorities: PRIORITIES, secret: SECRET, ...more }), 'jira', { email: 'bot@example.com', token }, now);
    const person = personAt(fake);
    const tracker = at();
    return {
      ...person,
      tracker: { ...tracker, create: async (draft) => await seenBy(person, draft, await tracker.create(draft)) },
      refused: at({}, 'another-token'),
      gone: at({ project: 'GONE' }),
      byHand: {
        ...person.byHand,
        imitate: async (draft) => {
          const { id } = await tracker.create(draft);
          const work = fake.ticketsOf(draft.incident).find((one) => one.id === id);
          if (work) work.by = 'mallory';
        },
      },
    };
  });
});

// Against the real one: npm run test:rt.
contract('Request Tracker', async () => requestTrackerSubject(await startStandIn()));

it('Request Tracker\'s stand-in answers as the real one did', async () => {
  const standIn = await startStandIn();
  expect(recorded().map(shapeOf)).toMatchObject((await converse(standIn)).map(shapeOf));
  await standIn.stop();
});

contract('a signed webhook', async () => {
  const fake = await fakeReceiver();
  const tracker = webhook(configOf('webhook', { url: `${fake.url}/hook`, secret: SECRET }), 'webhook', fake.token, now);
  const seen = (incident: string): Promise<readonly Seen[]> => {
    const comments = fake.asked.filter(({ text }) => text.includes('"ticket.commented"') && text.includes(incident)).map(({ text }) => text);
    return Promise.resolve(fake.ticketsOf(incident).map(({ body }) => ({ id: incident, open: true, body, comments })));
  };
  return { tracker, seen, stop: fake.stop };
});

contract('Slack', async () => {
  const fake = await fakeSlack();
  const at = (channel: string, token = fake.token) => slack(configOf('slack', { url: fake.url, channel, secret: SECRET }), 'slack', token, now);
  const { seen, stop, token } = personAt(fake);
  return { tracker: at('C0123456789'), refused: at('C0123456789', 'another-token'), gone: at('C9999999999'), blind: true, seen, stop, token };
});

describe('in the sandbox', () => {
  let account: Account;
  let config: { readonly endpoint: string; readonly region: string; readonly credentials: Account['admin'] };
  beforeAll(async () => {
    account = await startAccount();
    config = { endpoint: account.endpoint, region: account.world.region, credentials: account.admin };
  });
  afterAll(async () => await account.stop());

  contract('OpsCenter', () => {
    const client = new SSMClient({ ...config, maxAttempts: 1 });
    const nobody = new SSMClient({ ...config, maxAttempts: 1, credentials: account.createUser('nobody') });
    const setStatus = async (OpsItemId: string, Status: 'Resolved' | 'Open') => void (await client.send(new UpdateOpsItemCommand({ OpsItemId, Status })));
    return Promise.resolve({
      tracker: opscenter('opscenter', client),
      refused: opscenter('opscenter', nobody),
      seen: async (incident: string) => {
        const { OpsItemSummaries = [] } = await client.send(new DescribeOpsItemsCommand({ OpsItemFilters: [{ Key: 'Title', Operator: 'Contains', Values: [incident] }] }));
        return await Promise.all(
          OpsItemSummaries.map(async ({ OpsItemId = '' }) => {
            const { OpsItem } = await client.send(new GetOpsItemCommand({ OpsItemId }));
            return { id: OpsItemId, open: OpsItem?.Status === 'Open', body: OpsItem?.Description ?? '', comments: [] };
          }),
        );
      },
      byHand: { close: async (id: string) => await setStatus(id, 'Resolved'), reopen: async (id: string) => await setStatus(id, 'Open') },
      stop: () => Promise.resolve(client.destroy()),
    });
  });

  it('OpsCenter: a text that somebody edited stays theirs, and the news stands beside it', async () => {
    const client = new SSMClient(config);
    const tracker = opscenter('opscenter', client);
    const draft = draftFor(tracker, 'holiday');
    const { id, body = null } = await tracker.create(draft);
    const later: Draft = { ...draft, document: draftFor(tracker, 'beach', draft.incident).document };
    const second = await tracker.rewrite?.(id, later, body);
    const description = async () => (await client.send(new GetOpsItemCommand({ OpsItemId: id }))).OpsItem;
    expect((await description())?.Description).toContain('beach');
    await client.send(new UpdateOpsItemCommand({ OpsItemId: id, Description: 'Ada: I am on it' }));
    await tracker.rewrite?.(id, draft, second ?? null);
    expect((await description())?.Description).toBe('Ada: I am on it');
    expect((await description())?.OperationalData?.['stopbath-latest']?.Value).toContain('holiday');
    client.destroy();
  });

  contract('GuardDuty', () => {
    const client = new GuardDutyClient({ ...config, maxAttempts: 1 });
    const nobody = new GuardDutyClient({ ...config, maxAttempts: 1, credentials: account.createUser('no-archivist') });
    const [detector, id] = ['d'.repeat(32), '5ec1a7d09b3f4e62a8c41f0e7d2b9a01'];
    const tracker = guardduty('guardduty', client, [{ detector, id }]);
    const archivist = guardduty('guardduty', nobody, [{ detector, id }]);
    const of = { DetectorId: detector, FindingIds: [id] };
    return Promise.resolve({
      tracker,
      // There is nothing to open: what is refused is to archive.
      refused: { ...archivist, create: async (draft) => (await archivist.close(id, draft), { id, url: null }) },
      silent: true,
      seen: async () => (await client.send(new GetFindingsCommand(of))).Findings?.map(({ Id = '', Service }) => ({ id: Id, open: Service?.Archived !== true, body: '', comments: [] })) ?? [],
      byHand: { close: async () => void (await client.send(new ArchiveFindingsCommand(of))), reopen: async () => void (await client.send(new UnarchiveFindingsCommand(of))) },
      stop: () => Promise.resolve(client.destroy()),
    });
  });

  contract('SNS', async () => {
    const client = new SNSClient({ ...config, maxAttempts: 1 });
    const nobody = new SNSClient({ ...config, maxAttempts: 1, credentials: account.createUser('no-publisher') });
    const arn = (name: string) => `arn:aws:sns:${account.world.region}:${account.world.account}:${name}`;
    const root = { kind: 'root', account: account.world.account, principalArn: '', arn: '', userId: '' } as const;
    await account.world.call('sns', 'CreateTopic', { Name: 'alerts' }, root);
    const at = (topic: string, of = client) => sns(configOf('sns', { topic: arn(topic) }), 'sns', of);
    const tracker = at('alerts');
    const told = new Map<string, string>();
    return {
      tracker: {
        ...tracker,
        create: async (draft) => {
          const opened = await tracker.create(draft);
          told.set(draft.incident, opened.id);
          return opened;
        },
      },
      refused: at('alerts', nobody),
      gone: at('deleted'),
      seen: (incident) => {
        const [first, ...rest] = account.sns.published.filter(({ attributes }) => attributes['incident'] === incident);
        return Promise.resolve(first ? [{ id: told.get(incident) ?? '', open: true, body: first.message, comments: rest.map(({ message }) => message) }] : []);
      },
      stop: () => Promise.resolve(client.destroy()),
    };
  });
});

it('a ticket is gone where the tracker answers so, and not where it only says so', async () => {
  const fake = await fakeGithub();
  const tracker = github(configOf('github', { url: fake.url, repository: 'acme/alerts', secret: SECRET }), 'github', fake.token, now);
  const { id } = await tracker.create(draftFor(tracker, 'holiday'));
  fake.fail({ times: 1, when: 'before', how: { status: 500, body: { message: 'GET /issues was answered 404' } } });
  await expect(tracker.read?.(id)).rejects.toMatchObject({ trouble: 'passing', status: 500 });
  await fake.stop();
});

describe('a webhook', () => {
  it('is signed so that a receiver by the standard takes it, and a changed or an old one not', async () => {
    const fake = await fakeReceiver();
    const tracker = webhook(configOf('webhook', { url: fake.url, secret: SECRET }), 'webhook', fake.token, now);
    await tracker.create(draftFor(tracker, 'holiday'));
    const [asked] = fake.asked;
    const receiver = new Webhook(fake.token);
    const headers = asked?.headers ?? {};
    expect(receiver.verify(asked?.text ?? '', { ...headers })).toMatchObject({ type: 'ticket.opened' });
    expect(() => receiver.verify(`${asked?.text} `, { ...headers })).toThrow();
    expect(() => receiver.verify(asked?.text ?? '', { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 3600) })).toThrow();
    const old = webhook(configOf('webhook', { url: fake.url, secret: SECRET }), 'webhook', fake.token, () => Date.now() - 3_600_000);
    await old.create(draftFor(tracker, 'holiday'));
    expect(() => receiver.verify(fake.asked.at(-1)?.text ?? '', { ...fake.asked.at(-1)?.headers })).toThrow('Message timestamp too old');
    await fake.stop();
  });

  it('has one id however often it is sent again', async () => {
    const fake = await fakeReceiver();
    const tracker = webhook(configOf('webhook', { url: fake.url, secret: SECRET }), 'webhook', fake.token, now);
    const draft = draftFor(tracker, 'holiday');
    fake.fail({ times: 1, when: 'after', how: { status: 500 } });
    await expect(tracker.create(draft)).rejects.toMatchObject({ trouble: 'unanswered' });
    await tracker.create(draft);
    expect(fake.asked).toHaveLength(2);
    expect(fake.ticketsOf(draft.incident)).toHaveLength(1);
    await fake.stop();
  });
});

async function seenBy<T>(person: Pick<Subject, 'seen'>, draft: Draft, opened: T): Promise<T> {
  await person.seen(draft.incident);
  return opened;
}
