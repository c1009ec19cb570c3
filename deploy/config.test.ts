import { describe, expect, it } from 'vitest';
import { capFor, readSettings } from '../aws/settings.ts';
import { ROOT } from '../sandbox/deploy.ts';
import { readConfig } from './config.ts';
import { stackOf } from './stack.ts';

describe('stages', () => {
  const document = { modeCap: 'observe', leaseHours: 24, modeCaps: { 'quarantine-bucket': 'approve' }, stages: { dev: { modeCap: 'contain' }, prod: { modeCaps: { 'revoke-share-links': 'contain' }, budgets: { account: 3, reserved: 1 } } } };

  it('lay what differs there over the rest', () => {
    expect(readConfig(document, 'dev')).toMatchObject({ modeCap: 'contain', leaseHours: 24, modeCaps: { 'quarantine-bucket': 'approve' } });
    expect(readConfig(document, 'test')).toMatchObject({ modeCap: 'observe' });
    expect(readConfig(document)).toMatchObject({ modeCap: 'observe' });
  });
  it('take a setting whole: what a stage says of it is all that holds there', () => {
    const { modeCaps, budgets } = readConfig(document, 'prod');
    expect(modeCaps).toEqual({ 'revoke-share-links': 'contain' });
    expect(budgets).toMatchObject({ account: 3, all: 50, reserved: 1 });
  });
  it.each([
    ['a mistake in a stage that is not deployed', { stages: { prod: { modeCap: 'destroy' } } }, /stopbath.config.json, stages.prod/],
    ['a setting that there is none of', { stages: { prod: { modecap: 'contain' } } }, /stages.prod.*modecap/s],
    ['what does not go together in a stage', { stages: { prod: { verifyLooks: 30 } } }, /verifyMaxLooks is 24/],
    ['stages in a stage', { stages: { prod: { stages: {} } } }, /stages.prod has stages of its own/],
  ])('refuse %s, whatever is deployed', (_, wrong, says) => {
    expect(() => readConfig(wrong, 'dev')).toThrow(says);
  });
});

describe('the most that a playbook may do', () => {
  const settingsOf = (config: Parameters<typeof stackOf>[1], stage?: string) => {
    const { environment } = stackOf(ROOT, config, stage);
    const texts = Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
    return readSettings({ ...texts, AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'f', STOPBATH_ACCOUNT: '111122223333', STOPBATH_TABLE: 't', STOPBATH_EVIDENCE_BUCKET: 'e' });
  };
  const caps = (settings: ReturnType<typeof settingsOf>) => ['quarantine-bucket', 'revoke-share-links', 'toString', null].map((playbook) => capFor(settings, playbook));

  it('is what modeCaps says of it, and modeCap of all others', () => {
    expect(caps(settingsOf({ modeCap: 'approve', modeCaps: { 'quarantine-bucket': 'contain' } }))).toEqual(['contain', 'approve', 'approve', 'approve']);
    expect(caps(settingsOf({ modeCap: 'contain', modeCaps: { 'quarantine-bucket': 'observe' } }))).toEqual(['observe', 'contain', 'contain', 'contain']);
  });
  it('of a new install is to observe', () => {
    expect(caps(settingsOf({}))).toEqual(['observe', 'observe', 'observe', 'observe']);
  });
  it('is named for playbooks that there are', () => {
    expect(() => stackOf(ROOT, { modeCaps: { 'quarantine-buckets': 'contain' } })).toThrow('modeCaps names quarantine-buckets: there is contain-principal, open-ticket, quarantine-bucket, revoke-share-links');
  });
});
