import type { IncidentStatus } from '../core/incident.ts';
import type { TimelineLine } from '../sandbox/scenario/result.ts';

export type Tone = TimelineLine['tone'];

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`; `never` where it did not happen. */
export function duration(ms: number | null): string {
  if (ms === null) return 'never';
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(whole, 60, 'min', 's');
  return whole < 86_400 ? pair(Math.round(whole / 60), 60, 'h', 'min') : pair(Math.round(whole / 3600), 24, 'd', 'h');
}

function pair(total: number, base: number, large: string, small: string): string {
  const rest = total % base;
  return rest === 0 ? `${total / base} ${large}` : `${Math.floor(total / base)} ${large} ${rest} ${small}`;
}

/** `2026-07-31T10:00:00.000Z` → `10:00:00.000` */
export function timeOfDay(iso: string): string {
  return iso.slice(11, 23);
}

/** `2026-07-31 10:00:00 UTC` */
export function instant(iso: string | null): string {
  return iso === null ? 'not yet' : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

const STATUS: Readonly<Record<IncidentStatus, { readonly words: string; readonly tone: Tone }>> = {
  open: { words: 'decided, not acted yet', tone: 'bad' },
  observed: { words: 'recorded, nothing changed', tone: 'neutral' },
  held: { words: 'held: nothing changed', tone: 'bad' },
  'not-exposed': { words: 'nothing to contain', tone: 'good' },
  containing: { words: 'containing', tone: 'bad' },
  contained: { words: 'contained and proven', tone: 'good' },
  unverified: { words: 'acted, not proven', tone: 'bad' },
  failed: { words: 'failed', tone: 'bad' },
  waiting: { words: 'waits for an approval', tone: 'bad' },
  rejected: { words: 'rejected: nothing changed', tone: 'neutral' },
  expired: { words: 'nobody approved: nothing changed', tone: 'bad' },
  restoring: { words: 'restoring', tone: 'neutral' },
  restored: { words: 'restored', tone: 'good' },
};

export function statusWords(status: IncidentStatus): { readonly words: string; readonly tone: Tone } {
  return STATUS[status];
}

/** `1 change`, `3 changes` */
export function count(number: number, noun: string, several = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : several}`;
}

/** `Mode: contain (recommended contain)` and so on say more where both are the same. */
export function modeWords(mode: string, recommended: string): string {
  return mode === recommended ? mode : `${mode} (triage recommended ${recommended})`;
}
