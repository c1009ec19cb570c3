import { expect, it } from 'vitest';
import type { Tools } from '../function.ts';
import { toHandOn } from './hand-on.ts';

const ARN = 'arn:aws:iam::111122223333:role/photo-service';
const incident = { id: 'inc-1', related: [], inputs: {}, eventTime: '2026-11-28T06:00:00.000Z' };
const tools = (endpoint: string | null) => ({ settings: { STOPBATH_SHARES: { endpoint } }, remainingMs: () => 1000 }) as Tools;

it('hands on what there was no time to count', async () => {
  expect(await toHandOn(tools('https://share.example'), incident, ARN)).toEqual({ since: '2026-11-28T05:00:00.000Z', links: 0, more: true });
});

it('hands nothing on where there is no share service', async () => {
  expect(await toHandOn(tools(null), incident, ARN)).toMatchObject({ links: null, more: false });
});
