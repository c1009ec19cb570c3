import { expect, it } from 'vitest';
import { readAhead } from './ahead.ts';

const place = (name: string) => ({ arn: `arn:aws:s3:::${name}`, name, account: '111122223333', region: 'us-east-1' });

it('reads where it is told while the incident is read', async () => {
  const order: string[] = [];
  let arrive: (found: { target: ReturnType<typeof place> }) => void = () => undefined;
  const found = new Promise<{ target: ReturnType<typeof place> }>((resolve) => void (arrive = resolve));
  const reading = readAhead(place('family'), found, async ({ name }) => await Promise.resolve(order.push(name)));
  expect(order).toEqual(['family']);
  arrive({ target: place('family') });
  expect(await reading).toBe(1);
  expect(order).toEqual(['family']);
});

it.each([
  ['another target', { ...place('elsewhere') }],
  ['another account', { ...place('family'), account: '444455556666' }],
  ['nothing', null],
])('uses what the incident names where the workflow said %s', async (_, ahead) => {
  const read = async ({ name, account }: ReturnType<typeof place>) => {
    if (name === 'elsewhere') throw new Error('denied');
    return await Promise.resolve(`${name} in ${account}`);
  };
  expect(await readAhead(ahead, Promise.resolve({ target: place('family') }), read)).toBe('family in 111122223333');
});

it('fails as the reading of the incident’s own target does', async () => {
  await expect(readAhead(place('family'), Promise.resolve({ target: place('family') }), () => Promise.reject(new Error('denied')))).rejects.toThrow('denied');
});
