import type { Json } from '../../core/bucket.ts';
import type { Change } from '../../core/incident.ts';
import type { Tools } from '../function.ts';
import { cdnKind } from './cdn.ts';
import { epochKind } from './epochs.ts';
import type { ShareAim, ShareKind } from './kind.ts';
import { signerKind } from './signers.ts';
import { policyKind } from './url-policy.ts';

/** In the order of a plan, before and after the sweep of the links. */
export const BEFORE_SWEEP: readonly ShareKind[] = [epochKind];
export const AFTER_SWEEP: readonly ShareKind[] = [signerKind, policyKind, cdnKind];

/** What a setting of a change shows now: the change's own `after` wherever it was made. */
export async function presentFor(change: Change, aim: ShareAim, tools: Tools): Promise<Json> {
  const kind = kindOf(change.setting);
  const present = await kind.read(change.setting, tools, aim);
  return (kind.isDone?.(change, present) ?? false) ? change.after : present;
}

/** @throws where a plan names a setting that no kind owns */
export function kindOf(setting: string): ShareKind {
  const name = setting.split(':')[0];
  const kind = [...BEFORE_SWEEP, ...AFTER_SWEEP].find((entry) => entry.kind === name);
  if (!kind) throw new Error(`no kind of change owns the setting ${setting}`);
  return kind;
}
