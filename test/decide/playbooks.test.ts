import { describe, expect, it } from 'vitest';
import { PATTERN_LIMIT, patternsOf } from '../../deploy/rules.ts';
import { matchesPattern, parsePattern } from '../../core/event-pattern.ts';
import { PREDICATE_NAMES } from '../../core/decide/names.ts';
import { readPlaybook } from '../../core/playbook.ts';
import { BUCKET, envelope, finding, onBucket, playbooks, record } from './builders.ts';

describe('the shipped playbooks', () => {
  const triggers = playbooks.flatMap((playbook) => playbook.triggers.map((trigger) => ({ playbook: playbook.name, name: trigger.name, pattern: trigger.pattern })));
  const rules = patternsOf(triggers);

  it("fit AWS's limit for the patterns of rules", () => {
    expect(rules.map((rule) => JSON.stringify(rule).length).filter((length) => length > PATTERN_LIMIT)).toEqual([]);
    expect(rules.length).toBeLessThan(triggers.length);
  });

  it.each([
    ['a finding', envelope(finding('Novel:Thing/X'), 'GuardDuty Finding', 'aws.guardduty'), true],
    ['a public policy', envelope(onBucket('PutBucketPolicy')), true],
    ['an upload with a public ACL', envelope(onBucket('PutObject', { 'x-amz-acl': 'public-read' })), true],
    ['an upload with a public grant', envelope(onBucket('PutObject', { accessControlList: { 'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' } })), true],
    ["the suite's table", envelope(record('dynamodb', 'DeleteTable', { tableName: 'stopbath-dev' }), undefined, 'aws.dynamodb'), true],
    ['any other upload', envelope(onBucket('PutObject', { key: 'a.jpg' })), false],
    ['reading a picture', envelope(onBucket('GetObject', { key: 'a.jpg' })), false],
    ["somebody else's table", envelope(record('dynamodb', 'PutItem', { tableName: 'photos' }), undefined, 'aws.dynamodb'), false],
    ['a scan that found nothing', envelope({ s3ObjectDetails: { bucketName: BUCKET }, scanResultDetails: { scanResultStatus: 'NO_THREATS_FOUND' } }, 'GuardDuty Malware Protection Object Scan Result', 'aws.guardduty'), false],
  ])('are asked about %s: %o', (_, event, delivered) => {
    expect(rules.some((rule) => matchesPattern(parsePattern(rule), event))).toBe(delivered);
    expect(playbooks.some((playbook) => playbook.triggers.some((trigger) => matchesPattern(trigger.matcher, event)))).toBe(delivered);
  });

  it('use every predicate that there is', () => {
    const used = new Set(playbooks.flatMap((playbook) => playbook.triggers.flatMap((trigger) => trigger.when)));
    expect(PREDICATE_NAMES.filter((name) => !used.has(name))).toEqual([]);
  });

  it('contain only with inputs that they declare', () => {
    for (const playbook of playbooks) {
      for (const trigger of playbook.triggers.filter((entry) => entry.playbook === playbook.name)) {
        for (const [key, value] of Object.entries(trigger.inputs)) expect(Object.keys(playbook.inputs[key]?.values ?? {}), `${playbook.name}/${trigger.name}`).toContain(value);
      }
    }
  });
});

describe('a playbook.json', () => {
  const good = { title: 'T', description: 'D', targets: ['bucket'], defaultMode: 'observe', attack: ['T1530'], inputs: {}, triggers: [{ name: 'one', pattern: { source: ['aws.s3'] }, mode: 'observe', why: 'because' }] };
  it('is read', () => expect(readPlaybook('p', good).triggers[0]).toMatchObject({ playbook: 'p', targets: ['bucket'], when: [], inputs: {}, severity: null }));
  it.each<[string, object, string]>([
    ['an unknown key', { ...good, tittle: 'x' }, 'tittle'],
    ['an unknown predicate', { ...good, triggers: [{ ...good.triggers[0], when: ['exposd'] }] }, 'when'],
    ['a pattern that is none', { ...good, triggers: [{ ...good.triggers[0], pattern: { source: 'aws.s3' } }] }, 'trigger one'],
    ['a name used twice', { ...good, triggers: [good.triggers[0], good.triggers[0]] }, 'two triggers are named one'],
    ['a technique that is none', { ...good, attack: ['T15'] }, 'T1530'],
    ['no triggers', { ...good, triggers: undefined }, 'triggers'],
  ])('is refused for %s, which is named', (_, document, named) => {
    expect(() => readPlaybook('p', document)).toThrow(named);
    expect(() => readPlaybook('p', document)).toThrow('workflows/p/playbook.json');
  });
});

