import { cdnKind } from './cdn.ts';
import { epochKind } from './epochs.ts';
import type { ShareKind } from './kind.ts';
import { signerKind } from './signers.ts';
import { policyKind } from './url-policy.ts';

/** In the order of a plan, before and after the sweep of the links. */
export const BEFORE_SWEEP: readonly ShareKind[] = [epochKind];
export const AFTER_SWEEP: readonly ShareKind[] = [signerKind, policyKind, cdnKind];

/** @throws where a plan names a setting that no kind owns */
export function kindOf(setting: string): ShareKind {
  const name = setting.split(':')[0];
  const kind = [...BEFORE_SWEEP, ...AFTER_SWEEP].find((entry) => entry.kind === name);
  if (!kind) throw new Error(`no kind of change owns the setting ${setting}`);
  return kind;
}
