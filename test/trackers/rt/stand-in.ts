import { type Answered, type Asked, startLoopback, type Loopback } from '../loopback.ts';

interface Work {
  readonly id: string;
  readonly by: string;
  readonly subject: string;
  readonly texts: { readonly type: 'Create' | 'Comment'; readonly subject: string; readonly content: string }[];
  status: string;
  priority: number;
}

/** A Request Tracker as far as the suite asks it, made after what the real one answered: `recorded.json` holds it to that. */
export async function startStandIn(): Promise<Loopback & { readonly tokens: { readonly stopbath: string; readonly mallory: string } }> {
  const tokens = { stopbath: '1-27-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', mallory: '1-29-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' };
  const works: Work[] = [];
  const server = await startLoopback((asked) => {
    const by = Object.entries(tokens).find(([, token]) => asked.headers['authorization'] === `token ${token}`)?.[0];
    if (by === undefined) return { status: 401, body: { message: 'Unauthorized' } };
    const path = asked.path.replace('/REST/2.0', '');
    // By its name, as RT 5.0's own route: https://github.com/bestpractical/rt/blob/stable/lib/RT/REST2/Resource/Queue.pm
    if (path.startsWith('/queue/')) return path === '/queue/Security' ? { status: 200, body: { Name: 'Security' } } : { status: 404, body: { message: 'Not Found' } };
    if (path === '/ticket') return create(asked, by, works);
    if (path === '/tickets') return search(asked.query, by, works);
    const [, , id, what] = path.split('/');
    const work = works.find((one) => one.id === id);
    // Of a ticket that is not there it does not say so to one who comments.
    if (!work) return what === 'comment' ? { status: 400, body: { message: 'Permission Denied' } } : { status: 404, body: { message: 'Not Found' } };
    if (what === 'comment') return comment(asked, work);
    if (what === 'history') return { status: 200, body: listed(work.texts.map(({ type, subject }) => ({ type: 'transaction', Type: type, Data: type === 'Create' ? '' : `${subject}\n` }))) };
    if (what === 'attachments') return { status: 200, body: listed(work.texts.map(({ content }) => ({ type: 'attachment', Content: content }))) };
    return asked.method === 'PUT' ? { status: 200, body: changed(asked, work) } : { status: 200, body: { id: Number(work.id), Status: work.status, Priority: String(work.priority), Subject: work.subject } };
  });
  return { ...server, tokens };
}

function create({ body }: Asked, by: string, works: Work[]): Answered {
  const { Queue, Subject, Content, Priority } = fieldsOf(body);
  if (Queue !== 'Security') return { status: 403, body: { message: `No permission to create tickets in the queue '${String(Queue)}'` } };
  // A column of 200 bytes: the rest is cut off without a word.
  const subject = Buffer.from(String(Subject)).subarray(0, 200).toString('utf8');
  const id = String(works.length + 1);
  works.push({ id, by, subject, status: 'new', priority: Number(Priority), texts: [{ type: 'Create', subject, content: String(Content) }] });
  return { status: 201, body: { id, type: 'ticket', _url: `/REST/2.0/ticket/${id}` } };
}

/** What is deleted is not found. */
function search(query: URLSearchParams, by: string, works: readonly Work[]): Answered {
  const text = query.get('query') ?? '';
  const words = /Subject LIKE '([^']*)'/.exec(text)?.[1] ?? '';
  const found = works.filter((work) => work.subject.includes(words) && work.status !== 'deleted' && (!text.includes('__CurrentUser__') || work.by === by));
  return { status: 200, body: { ...listed(found.map(({ id }) => ({ id, type: 'ticket' }))), total: found.length, pages: Math.ceil(found.length / Number(query.get('per_page') ?? 20)) } };
}

function comment({ body }: Asked, work: Work): Answered {
  const { Subject, Content } = fieldsOf(body);
  work.texts.push({ type: 'Comment', subject: String(Subject), content: String(Content) });
  return { status: 201, body: ['Comments added'] };
}

/** In words, and 200 also where nothing was changed. */
function changed({ body }: Asked, work: Work): readonly string[] {
  const { Status, Priority } = fieldsOf(body);
  const said: string[] = [];
  if (typeof Priority === 'number' && Priority !== work.priority) {
    said.push(`Ticket ${work.id}: Priority changed from '${nameOf(work.priority)}' to '${nameOf(Priority)}'`);
    work.priority = Priority;
  }
  if (typeof Status !== 'string' || Status === work.status) return said;
  if (!['new', 'open', 'stalled', 'resolved', 'rejected', 'deleted'].includes(Status)) return [...said, `Ticket ${work.id}: Status '${Status}' isn't a valid status for this ticket.`];
  said.push(Status === 'deleted' ? `Ticket ${work.id}: Ticket deleted` : `Ticket ${work.id}: Status changed from '${work.status}' to '${Status}'`);
  work.status = Status;
  return said;
}

/** How many there are in all it does not say, but of a search. */
function listed(items: readonly object[]): object {
  return { items: items.map((item, index) => ({ id: String(index + 1), ...item })), count: items.length, page: 1, pages: null, total: null, per_page: 100 };
}

function nameOf(priority: number): string {
  return priority < 50 ? 'Low' : priority < 100 ? 'Medium' : 'High';
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? Object.fromEntries(Object.entries(body)) : {};
}
