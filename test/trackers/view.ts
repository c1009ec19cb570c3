import type { Entry, Incident, IncidentView, LedgerEntry, Plan } from '../../core/incident.ts';

/** An incident that was contained and proven, with one text wherever an event may put one. */
export function viewWith(text: string, more: Partial<Incident> = {}): IncidentView {
  const incident: Incident = {
    id: 'inc-20260731-0a1b2c3d4e',
    playbook: 'quarantine-bucket',
    target: { kind: 'bucket', arn: `arn:aws:s3:::${text}`, name: text, account: '111122223333', region: 'us-east-1' },
    inputs: { level: 'public' },
    title: `bucket ${text}: anyone can read`,
    severity: 8,
    status: 'contained',
    recommendedMode: 'contain',
    mode: 'contain',
    drill: false,
    exposures: [`anyone can read (policy statement "${text}")`],
    actor: `arn:aws:iam::111122223333:user/${text}`,
    actors: [text, `arn:aws:iam::111122223333:user/${text}`],
    related: [],
    requestedBy: 'automatic',
    reason: `GuardDuty saw ${text}`,
    eventTime: at(0),
    receivedAt: at(1),
    decidedAt: at(2),
    containedAt: at(3),
    verifiedAt: at(9),
    restoredAt: null,
    outcome: `verified: ${text}`,
    ticket: null,
    tickets: {},
    ticketGap: null,
    executions: ['inc-20260731-0a1b2c3d4e-contain-1'],
    schemaVersion: 1,
    ...more,
  };
  const change = { seq: 1, setting: 'policy', title: `Deny ${text}`, before: text, after: { Statement: [{ Sid: text }] } };
  const plan: Plan = { incident: incident.id, playbook: incident.playbook, direction: 'contain', target: incident.target, level: 'public', changes: [change], digest: 'd'.repeat(64), notes: [`${text} stays`], impact: { principals: [text] }, plannedAt: at(2) };
  const ledger: LedgerEntry = { ...change, incident: incident.id, direction: 'contain', execution: `${incident.id}-contain-1`, digest: plan.digest, intendedAt: at(3), doneAt: at(3), result: 'done' };
  const entry: Entry = { incident: incident.id, at: at(1), kind: 'signal', text: `guardduty, by ${text}`, by: text, detail: null };
  const failure: Entry = { ...entry, kind: 'failure', at: at(4), text: `AccessDenied: ${text}` };
  return { incident, plans: [plan], ledger: [ledger], entries: [entry, failure], progress: [], requests: [], approvals: [] };
}

function at(second: number): string {
  return new Date(Date.UTC(2026, 6, 31, 10, 0, second)).toISOString();
}
