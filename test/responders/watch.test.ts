import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncidentView, Progress } from '../../core/incident.ts';
import { viewWith } from '../trackers/view.ts';
import { viewIncident } from '../../cli/api.ts';
import { EXIT } from '../../cli/exit.ts';
import { run } from '../../cli/main.ts';
import { foot, say } from '../../cli/terminal.ts';
import { progressText, watch } from '../../cli/watch.ts';

vi.mock('../../cli/api.ts', async (original) => ({ ...(await original<object>()), viewIncident: vi.fn() }));

const STEP: Progress = { incident: 'inc-1', execution: 'e', what: 'links revoked', done: 3100, total: 10_000, startedAt: '2026-07-31T10:00:00.000Z', updatedAt: '2026-07-31T10:00:05.000Z', finishedAt: null };

describe('how far a step has come', () => {
  it.each<[string, Partial<Progress>, string]>([
    ['in the middle', {}, 'links revoked  [#######-----------------]  3,100 of 10,000  620 a second, 11 s left'],
    ['at its start', { done: 0, updatedAt: STEP.startedAt }, 'links revoked  [------------------------]  0 of 10,000  0.0 a second'],
    ['where it is not known how many there are', { total: null }, 'links revoked  3,100 so far  620 a second'],
    ['where there are more than were counted', { done: 12_000 }, 'links revoked  [########################]  12,000 of 10,000  2,400 a second'],
    ['at its end', { done: 10_000, finishedAt: '2026-07-31T10:00:20.000Z' }, 'links revoked  10,000, done in 20 s (500 a second)'],
  ])('%s', (_, change, text) => expect(progressText({ ...STEP, ...change })).toBe(text));
});

function screen(isTTY: boolean): { readonly write: (text: string) => boolean; readonly isTTY: boolean; readonly columns: number; readonly all: string[] } {
  const all: string[] = [];
  return { all, isTTY, columns: 20, write: (text) => all.push(text) > 0 };
}

describe('the foot of a terminal', () => {
  it('is drawn in its place, and cut so that a line is one row', () => {
    const tty = screen(true);
    const bars = foot(tty);
    bars.draw(['one', 'a line that is longer than the terminal']);
    bars.draw(['two']);
    bars.lift();
    bars.lift();
    expect(tty.all).toEqual(['one\n', 'a line that is long\n', '\u001B[2A\u001B[0J', 'two\n', '\u001B[1A\u001B[0J']);
  });

  it('is a plain line for each change where nobody looks', () => {
    const pipe = screen(false);
    const bars = foot(pipe);
    for (const line of ['one', 'one', 'two']) bars.draw([line]);
    bars.lift();
    expect(pipe.all).toEqual(['one\n', 'two\n']);
  });
});

describe('watch', () => {
  let printed: string[];
  beforeEach(() => {
    printed = [];
    for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  });
  afterEach(() => vi.restoreAllMocks());

  it('prints each line of the timeline once, how far it is, and stops when nothing runs', async () => {
    const ended = viewWith('holiday', { status: 'contained', executions: [], playbook: 'open-ticket' });
    const running: IncidentView = { ...ended, incident: { ...ended.incident, status: 'containing' }, progress: [STEP] };
    const views = [running, running, { ...running, progress: [{ ...STEP, done: 6200 }] }, ended];
    const waits: number[] = [];
    vi.mocked(viewIncident).mockImplementation(() => Promise.resolve(views.shift() ?? ended));
    await watch(ended.incident.id, {}, say, () => Promise.resolve(waits.push(1)));
    const text = printed.join('');
    expect(waits).toHaveLength(3);
    expect(text.match(/of 10,000/g)).toHaveLength(2);
    expect(text).toMatch(/contained and proven\n$/);
    const lines = text.split('\n').filter((line) => line !== '' && !line.includes('of 10,000'));
    expect(new Set(lines).size).toBe(lines.length);
  });

  it.each([
    ['contained', EXIT.ok],
    ['restored', EXIT.ok],
    ['not-exposed', EXIT.ok],
    ['unverified', EXIT.no],
    ['failed', EXIT.no],
    ['held', EXIT.no],
    ['observed', EXIT.no],
    ['rejected', EXIT.no],
  ] as const)('of an incident that ends %s ends with %i', async (status, code) => {
    vi.mocked(viewIncident).mockResolvedValue({ ...viewWith('holiday', { status, executions: [], playbook: 'open-ticket' }), ledger: [] });
    expect(await run(['show', 'inc-1', '--watch'])).toBe(code);
    process.exitCode = undefined;
  });

  it('with --json leaves stdout to the JSON', async () => {
    const ended = viewWith('holiday', { status: 'failed', executions: [], playbook: 'open-ticket' });
    vi.mocked(viewIncident).mockResolvedValue(ended);
    const out: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
    expect(await run(['show', ended.incident.id, '--watch', '--json'])).toBe(EXIT.no);
    process.exitCode = undefined;
    expect(JSON.parse(out.join(''))).toMatchObject({ incident: { id: ended.incident.id, status: 'failed' } });
    expect(printed.join('')).toContain(`${ended.incident.id}: failed`);
  });
});
