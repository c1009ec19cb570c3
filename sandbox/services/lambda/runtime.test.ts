import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { skippingClock } from '../../clock.ts';
import { createRuntime, type Runtime } from './runtime.ts';

const HANDLERS = {
  echo: 'export const handler = async (event, context) => ({ event, name: context.functionName, left: context.getRemainingTimeInMillis() });',
  environment: `export const handler = async ({ wait }) => {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const { NAME, PATH, HOME } = process.env;
    return { NAME, PATH, HOME, keys: Object.keys(process.env), spread: { ...process.env } };
  };`,
  date: 'export const handler = async () => ({ now: Date.now(), made: new Date().getTime(), fixed: new Date(0).toISOString(), is: new Date() instanceof Date });',
  log: 'export const handler = async ({ text }) => { console.log("%s %d", text, 1); await null; process.stderr.write("err " + text); };',
  fail: `class NoSuchThingError extends Error { name = 'NoSuchThingError'; }
    export const handler = async (event) => { throw event.plain ? 'text' : new NoSuchThingError('it is not there'); };`,
  hang: 'export const handler = () => new Promise(() => setInterval(() => {}, 1000));',
  spin: 'export const handler = () => { for (;;); };',
  late: `import { request } from 'node:http';
    export const handler = async ({ port }) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await new Promise((resolve) => request({ port, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve)).end());
    };`,
  none: 'export const something = 1;',
};

let folder: string;
let runtime: Runtime;
const stray: string[] = [];
const clock = skippingClock();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stopbath-runtime-'));
  for (const [name, text] of Object.entries(HANDLERS)) writeFileSync(join(folder, `${name}.mjs`), text);
  runtime = createRuntime(clock, (text) => stray.push(text));
});
afterEach(() => {
  clock.offset[0] = 0;
});
afterAll(async () => {
  await runtime.kill();
  rmSync(folder, { recursive: true });
});

function run(name: keyof typeof HANDLERS, event: unknown = {}, options: { readonly environment?: Record<string, string>; readonly timeoutSeconds?: number; readonly logs?: string[] } = {}) {
  return runtime
    .invoke({
      module: pathToFileURL(join(folder, `${name}.mjs`)).href,
      environment: options.environment ?? {},
      payload: JSON.stringify(event),
      timeoutSeconds: options.timeoutSeconds ?? 5,
      onLog: (text) => options.logs?.push(text),
      context: {
        functionName: name,
        functionVersion: '$LATEST',
        invokedFunctionArn: `arn:aws:lambda:us-east-1:111122223333:function:${name}`,
        memoryLimitInMB: '128',
        awsRequestId: 'r-1',
        logGroupName: `/aws/lambda/${name}`,
        logStreamName: 'stream',
        deadline: clock.now() + 5000,
      },
    })
    .then(({ ok, payload }) => ({ ok, payload: JSON.parse(payload) }));
}

describe('an invocation', () => {
  it('hands the event and the context to the handler and its result back', async () => {
    const { ok, payload } = await run('echo', { a: [1] });
    expect(ok).toBe(true);
    expect(payload).toMatchObject({ event: { a: [1] }, name: 'echo' });
    expect(payload.left).toBeGreaterThan(0);
  });

  it('sees the environment of its own function and nothing of the machine', async () => {
    const [one, two] = await Promise.all([
      run('environment', { wait: 30 }, { environment: { NAME: 'one', ONE: '1' } }),
      run('environment', { wait: 10 }, { environment: { NAME: 'two' } }),
    ]);
    expect(one.payload).toEqual({ NAME: 'one', keys: ['NAME', 'ONE'], spread: { NAME: 'one', ONE: '1' } });
    expect(two.payload).toEqual({ NAME: 'two', keys: ['NAME'], spread: { NAME: 'two' } });
  });

  it('lives in sandbox time', async () => {
    clock.offset[0] = 3_600_000;
    const { payload } = await run('date');
    expect(payload.now - Date.now()).toBeGreaterThan(3_500_000);
    expect(payload.made - Date.now()).toBeGreaterThan(3_500_000);
    expect(payload).toMatchObject({ fixed: '1970-01-01T00:00:00.000Z', is: true });
  });

  it('keeps its output apart from that of others', async () => {
    const [one, two]: [string[], string[]] = [[], []];
    await Promise.all([run('log', { text: 'one' }, { logs: one }), run('log', { text: 'two' }, { logs: two })]);
    expect(one).toEqual(['one 1', 'err one']);
    expect(two).toEqual(['two 1', 'err two']);
  });

  it('reports what it throws as the runtime does', async () => {
    expect(await run('fail')).toMatchObject({ ok: false, payload: { errorType: 'NoSuchThingError', errorMessage: 'it is not there' } });
    expect(await run('fail', { plain: true })).toEqual({ ok: false, payload: { errorType: 'string', errorMessage: 'text', trace: [] } });
    expect(await run('none')).toMatchObject({ ok: false, payload: { errorType: 'Runtime.HandlerNotFound' } });
  });

  it('times out', async () => {
    const expected = { ok: false, payload: { errorType: 'Sandbox.Timedout', errorMessage: 'RequestId: r-1 Error: Task timed out after 0.20 seconds' } };
    expect(await run('hang', {}, { timeoutSeconds: 0.2 })).toEqual(expected);
  });

  it('reaches nobody once it has timed out', async () => {
    const { createServer } = await import('node:http');
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await run('late', { port }, { timeoutSeconds: 0.1 });
    const answered = await run('late', { port });
    expect(answered.ok).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(requests).toBe(1);
  });

  it('that never yields is ended, and the next one runs', async () => {
    expect((await run('spin', {}, { timeoutSeconds: 0.1 })).payload.errorType).toBe('Sandbox.Timedout');
    expect((await run('echo', 1)).payload.event).toBe(1);
  });

  it('fails when the thread is killed, and the next one runs', async () => {
    const hanging = run('hang');
    await run('echo');
    await runtime.kill();
    expect((await hanging).payload.errorType).toBe('Runtime.ExitError');
    expect((await run('echo', 2)).payload.event).toBe(2);
  });
});
