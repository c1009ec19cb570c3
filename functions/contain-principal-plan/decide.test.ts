import { describe, expect, it } from 'vitest';
import { ACCOUNT, decided, envelope, finding, record } from '../../test/decide/builders.ts';

const keyOf = (userType: string, userName: string) => ({ resourceType: 'AccessKey', accessKeyDetails: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', principalId: 'AROAIOSFODNN7EXAMPLE:x', userType, userName } });
const call = (eventName: string, request: object, more: object = {}) => envelope(record('iam', eventName, request, { ...more }), undefined, 'aws.iam');
const byRole = (role: string) => ({ userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/x`, accountId: ACCOUNT, sessionContext: { sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${ACCOUNT}:role/${role}`, userName: role } } } });
const byTheSuite = byRole('stopbath-dev-contain-principal-apply');

describe('contain-principal', () => {
  it.each([
    ['UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS', 'AssumedRole', 'contain', 'role/bot'],
    ['UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom', 'IAMUser', 'contain', 'user/bot'],
    ['Persistence:IAMUser/AnomalousBehavior', 'IAMUser', 'approve', 'user/bot'],
  ])('answers %s about a %s: %s', (type, userType, decision, target) => {
    expect(decided(finding(type, 8, keyOf(userType, 'bot')))).toMatchObject({ decision, playbook: 'contain-principal', targets: [`arn:aws:iam::${ACCOUNT}:${target}`] });
  });

  it.each([
    ['FederatedUser', `arn:aws:sts::${ACCOUNT}:federated-user/break-glass`],
    ['SAMLUser', `arn:aws:iam::${ACCOUNT}:root`],
    ['WebIdentityUser', `arn:aws:iam::${ACCOUNT}:root`],
    ['AWSAccount', `arn:aws:iam::${ACCOUNT}:root`],
    ['constructor', `arn:aws:iam::${ACCOUNT}:root`],
  ])('takes no %s for the user of that name: whoever made the session chose it', (userType, target) => {
    const { responses } = decided(finding('UnauthorizedAccess:IAMUser/TorIPCaller', 8, keyOf(userType, 'break-glass')));
    expect(responses.map((response) => [response.target.arn, response.verdict, response.playbook])).toEqual([[target, 'observe', 'open-ticket']]);
    expect(responses.every((response) => response.target.kind !== 'principal')).toBe(true);
    if (userType.endsWith('User')) expect(responses[0]?.because).toContain('containing the user or role that made it');
  });

  it('means the same user by an event that names it with its path', () => {
    const caller = { userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ops/bot`, accountId: ACCOUNT, userName: 'bot' } };
    const named = decided(finding('UnauthorizedAccess:IAMUser/TorIPCaller', 8, keyOf('IAMUser', 'bot'))).targets;
    expect(decided(envelope(record('sts', 'GetCallerIdentity', null, caller), undefined, 'aws.sts')).signal?.targets.map(({ arn }) => arn)).toEqual(named);
  });

  it('leaves to a ticket what tells of no credentials in wrong hands', () => {
    for (const type of ['Recon:IAMUser/TorIPCaller', 'Stealth:IAMUser/PasswordPolicyChange', 'Policy:IAMUser/RootCredentialUsage']) expect(decided(finding(type, 8, keyOf('IAMUser', 'bot')))).toMatchObject({ decision: 'observe', playbook: 'open-ticket' });
  });

  it('answers a key that AWS found in public', () => {
    expect(decided(call('AttachUserPolicy', { userName: 'bot', policyArn: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3' }))).toMatchObject({ decision: 'contain', playbook: 'contain-principal', severity: 8 });
  });

  it('notices that its deny is taken away, by whomever but the suite, and opens nothing for it', () => {
    const taken = { userName: 'bot', policyName: 'StopbathContain-inc-1' };
    const again = { playbook: 'contain-principal', because: 'somebody took the deny away again, or rewrote it' };
    expect(decided(call('DeleteUserPolicy', taken))).toMatchObject({ decision: 'ignore', responses: [{ again }] });
    expect(decided(call('DeleteUserPolicy', taken, byTheSuite))).toMatchObject({ responses: [{ again: null }] });
    // A role that is only called like the suite's, and one of the suite's that has no business there.
    const own = { prefix: 'stopbath-dev', roles: ['contain-principal-apply', 'triage'].map((name) => `arn:aws:iam::${ACCOUNT}:role/stopbath-dev-${name}`) };
    const excused = ['stopbath-dev-contain-principal-apply', 'stopbath-dev-triage', 'stopbath-dev-x', 'x/stopbath-dev-contain-principal-apply'].map((role) => decided(call('DeleteUserPolicy', taken, byRole(role)), { own }).responses[0]?.again === null);
    expect(excused).toEqual([true, false, false, false]);
    expect(decided(call('DeleteUserPolicy', { ...taken, policyName: 'own' }))).toMatchObject({ responses: [{ again: null }] });
    expect(decided(call('UpdateAccessKey', { userName: 'bot', accessKeyId: 'AKIA1', status: 'Inactive' }))).toMatchObject({ responses: [{ again: null }] });
  });
});
