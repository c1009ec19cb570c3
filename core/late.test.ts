import { describe, expect, it } from 'vitest';
import type { Opening } from './correlate.ts';
import type { Incident, LedgerEntry, Plan } from './incident.ts';
import { lastSeen, lateness } from './late.ts';
import { readSignal, type Signal } from './signal.ts';

const NOW = '2026-11-24T10:00:00.000Z';
const target = { kind: 'bucket', arn: 'arn:aws:s3:::family', name: 'family', account: '111122223333', region: 'us-east-1' } as const;
const closed = { status: 'not-exposed', playbook: 'quarantine-bucket', inputs: { level: 'public' } } as const;
const restored = { ...closed, status: 'restored' } as const;

function opening(type: string, response: Partial<Opening['response']> = {}, signal: Partial<Signal> = {}): Opening {
  const read = readSignal({ type, id: 'f-1', severity: 8, resource: {}, service: {}, schemaVersion: '2.0' }, NOW);
  if ('rejected' in read) throw new Error(read.rejected);
  return {
    response: { target, verdict: 'contain', recommended: 'contain', playbook: 'quarantine-bucket', installed: true, inputs: { level: 'public' }, levels: ['public', 'external', 'full'], severity: 8, trigger: 't', suppressedBy: null, because: 'b', again: null, ...response },
    signal: { ...read, ...signal }, state: undefined, receivedAt: NOW, decidedAt: NOW, drill: false, cap: 'contain',
  };
}

describe('what is older than the close', () => {
  const exfiltration = { inputs: { level: 'external' } };
  const ticketOnly = { verdict: 'observe', recommended: 'observe', playbook: 'open-ticket', inputs: {}, levels: [] } as const;
  it.each<[string, Pick<Incident, 'status' | 'playbook' | 'inputs'>, Opening, string]>([
    ['pictures were taken, and only the public was found shut out', closed, opening('Exfiltration:S3/AnomalousBehavior', exfiltration), 'open'],
    ['another playbook is asked for', closed, opening('Object:S3/MaliciousFile', { playbook: 'revoke-share-links', inputs: {}, levels: [] }), 'open'],
    ['pictures were taken, and nothing may be contained by itself', closed, { ...opening('Exfiltration:S3/AnomalousBehavior', exfiltration), cap: 'observe' }, 'reopen'],
    ['pictures were taken from what a person gave back', restored, opening('Exfiltration:S3/AnomalousBehavior', exfiltration), 'reopen'],
    ['GuardDuty saw the same act', closed, opening('Policy:S3/BucketAnonymousAccessGranted', ticketOnly), 'tell'],
    ['CloudTrail has the same act', restored, opening('x', {}, { source: 'cloudtrail' }), 'tell'],
    ['somebody accepted it', closed, opening('Exfiltration:S3/AnomalousBehavior', { verdict: 'record' }), 'attach'],
    ['it is a sample', restored, opening('Exfiltration:S3/AnomalousBehavior', exfiltration, { sample: true }), 'attach'],
  ])('%s', (_, of, late, act) => {
    expect(lateness(of, late)).toBe(act);
  });
});

it('a target was last seen closed before its restore began, and when its plan found nothing open', () => {
  const entry = (execution: string, intendedAt: string): LedgerEntry => ({ seq: 1, setting: 's', title: '', before: null, after: null, incident: 'i', direction: 'restore', execution, digest: 'd', intendedAt, doneAt: NOW, result: 'done' });
  const plan = (direction: Plan['direction'], plannedAt: string): Plan => ({ incident: 'i', playbook: 'p', direction, target, level: null, changes: [], digest: 'd', notes: [], impact: {}, plannedAt });
  const [run, plans] = [{ execution: 'restore-1', direction: 'restore' } as const, [plan('contain', '1'), plan('restore', '3'), plan('contain', '4')]];
  expect(lastSeen(run, [entry('contain-1', '2'), entry('restore-1', '6'), entry('restore-1', '5')], plans, '9')).toBe('5');
  expect(lastSeen(run, [entry('contain-1', '2')], plans, '9')).toBe('3');
  expect(lastSeen({ execution: 'contain-2', direction: 'contain' }, [], plans, '9')).toBe('4');
  expect(lastSeen({ execution: 'contain-2', direction: 'contain' }, [], [], '9')).toBe('9');
});
