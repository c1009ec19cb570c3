/** Predicates about what watches over the account: trails, detectors, findings. */
import { type Predicate, holds, no } from './answer.ts';
import { at, isObject, listOf, textOf } from '../signal/envelope.ts';
import { listed, plain } from '../text.ts';

/** GuardDuty's low severity ends below this. */
const MEDIUM = 4;

/** Findings of these purposes are worth a ticket only where they are not low. */
const QUIET = /^(?:Discovery|PenTest|Stealth):/;

export const defence = {
  'notable-severity': ({ signal: { type, severity } }) => holds(!QUIET.test(type) || severity >= MEDIUM, `${plain(type, 100)}, severity ${severity}`),
  'threats-found': ({ detail }) => {
    const threats = listOf(at(detail, 'scanResultDetails', 'threats')).flatMap((threat) => textOf(at(threat, 'name')) ?? []);
    return holds(true, threats.length > 0 ? `the scan found ${listed(threats.slice(0, 3).map((name) => plain(name, 64)))}` : '');
  },
  'trail-narrowed': ({ signal, request }) => {
    switch (signal.type) {
      case 'UpdateTrail':
        return narrowedTrail(request);
      case 'PutEventSelectors':
        return narrowedSelectors(request);
      case 'UpdateEventDataStore':
        return holds(at(request, 'multiRegionEnabled') === false || at(request, 'terminationProtectionEnabled') === false, 'the event data store keeps less or may be deleted');
      default:
        return holds(true, signal.type === 'StopLogging' ? 'logging was stopped' : `${plain(signal.type, 40)} was called`);
    }
  },
  'detector-weakened': ({ signal, request }) => {
    switch (signal.type) {
      case 'UpdateDetector':
      case 'UpdateMemberDetectors':
        return disabledDetector(request);
      case 'UpdateOrganizationConfiguration':
        return holds(at(request, 'autoEnable') === false || at(request, 'autoEnableOrganizationMembers') === 'NONE', 'new accounts are no longer watched');
      case 'CreateFilter':
      case 'UpdateFilter':
        return holds(at(request, 'action') === 'ARCHIVE', `findings are archived unseen by the filter ${plain(textOf(at(request, 'name')) ?? textOf(at(request, 'filterName')) ?? '', 64)}`);
      case 'CreateIPSet':
      case 'UpdateIPSet':
      case 'CreateTrustedEntitySet':
      case 'UpdateTrustedEntitySet':
        return holds(at(request, 'activate') === true, 'addresses were declared trusted, so that GuardDuty says nothing of them');
      default:
        return holds(true, `${plain(signal.type, 48)} was called`);
    }
  },
} satisfies Record<string, Predicate>;

function narrowedTrail(request: unknown): ReturnType<Predicate> {
  const lost = Object.entries({
    isMultiRegionTrail: 'other regions',
    includeGlobalServiceEvents: 'global services',
    enableLogFileValidation: 'the proof of its files',
    isOrganizationTrail: 'the other accounts',
  }).flatMap(([key, what]) => (at(request, key) === false ? [what] : []));
  if (lost.length > 0) return holds(true, `the trail lost ${listed(lost)}`);
  // Where its files go from now on was changed: to a bucket that nobody of ours may read.
  return holds(textOf(at(request, 's3BucketName')) !== null, `the trail writes to ${plain(textOf(at(request, 's3BucketName')) ?? '', 64)} from now on`);
}

function narrowedSelectors(request: unknown): ReturnType<Predicate> {
  const basic = listOf(at(request, 'eventSelectors'));
  const whole = (selector: unknown): boolean =>
    at(selector, 'includeManagementEvents') !== false &&
    (textOf(at(selector, 'readWriteType')) ?? 'All') === 'All' &&
    listOf(at(selector, 'excludeManagementEventSources')).length === 0;
  if (basic.length > 0) return holds(!basic.some(whole), 'management events are no longer all recorded');
  const advanced = listOf(at(request, 'advancedEventSelectors'));
  if (advanced.length === 0) return no;
  return holds(!advanced.some(wholeAdvanced), 'management events are no longer all recorded');
}

/** One selector that takes management events by their category alone. */
function wholeAdvanced(selector: unknown): boolean {
  const fields = listOf(at(selector, 'fieldSelectors'));
  const isManagement = fields.some((field) => at(field, 'field') === 'eventCategory' && listOf(at(field, 'equals')).includes('Management'));
  return isManagement && fields.length === 1;
}

function disabledDetector(request: unknown): ReturnType<Predicate> {
  if (at(request, 'enable') === false) return holds(true, 'the detector is switched off');
  const features = listOf(at(request, 'features')).filter((feature) => at(feature, 'status') === 'DISABLED');
  const sources = Object.entries(isObject(at(request, 'dataSources')) ? Object(at(request, 'dataSources')) : {}).filter(([, source]) => at(source, 'enable') === false);
  const names = [...features.map((feature) => textOf(at(feature, 'name')) ?? 'a feature'), ...sources.map(([key]) => key)].slice(0, 8);
  return holds(names.length > 0, `GuardDuty no longer watches ${listed(names.map((name) => plain(name, 40)))}`);
}
