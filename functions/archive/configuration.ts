import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { get, put } from '../../aws/records.ts';
import { digestOf } from '../../core/canonical.ts';

export interface ConfigurationNow {
  readonly digest: string;
  /** When it was first seen in use, ISO 8601; it may have been deployed up to one execution or one sweep earlier. */
  readonly since: string;
  /** Who deployed it, as the deployment said; `null` where it did not say. */
  readonly deployedBy: string | null;
}

/**
 * What the suite is configured with, and since when. Lambda tells when its configuration changed and not who did it: that is what the
 * deployment says (`STOPBATH_DEPLOYED_BY`); CloudTrail's `UpdateFunctionConfiguration` proves it, and reaches triage as an event of
 * the suite's own parts. A change is a record of its own, with all values.
 */
export async function configurationNow(tools: Tools): Promise<ConfigurationNow> {
  const values = Object.fromEntries(Object.entries(tools.settings).filter(([name]) => name.startsWith('STOPBATH_') && name !== 'STOPBATH_DEPLOYED_BY'));
  const digest = digestOf(values);
  const current = await get(tools, 'CONFIGURATION', 'CURRENT');
  if (current?.['digest'] === digest) return { digest, since: String(current['since']), deployedBy: textOf(current['deployedBy']) };

  const since = tools.now();
  const deployedBy = tools.settings.STOPBATH_DEPLOYED_BY;
  const body = { digest, previous: textOf(current?.['digest']), firstSeenAt: since, deployedBy, values };
  await putEvidence(tools, { kind: 'configuration', id: `${since.replaceAll(':', '')}-${digest.slice(0, 16)}`, incident: null, at: since, drill: false, body });
  await put(tools, { pk: 'CONFIGURATION', sk: 'CURRENT', digest, since, deployedBy });
  return { digest, since, deployedBy };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
