/**
 * What a sweep met, link by link: each link counts once, whatever was tried how often.
 *
 * `changed` it was marked (or, on the way back, given back) by this incident · `ended` its owner had ended it · `other` in a
 * status that only the service knows · `newer` made after the cutoff · `held` another incident still holds it · `untouched`
 * this incident's mark was not on it (on the way back) · `gone` deleted since.
 */
export const OUTCOMES = ['changed', 'ended', 'other', 'newer', 'held', 'untouched', 'gone'] as const;
export type SweepOutcome = (typeof OUTCOMES)[number];
export type Tally = { readonly [outcome in SweepOutcome]: number };

export const NOTHING: Tally = { changed: 0, ended: 0, other: 0, newer: 0, held: 0, untouched: 0, gone: 0 };

export function added(...tallies: readonly Tally[]): Tally {
  const sum = (outcome: SweepOutcome) => tallies.reduce((total, tally) => total + tally[outcome], 0);
  return { changed: sum('changed'), ended: sum('ended'), other: sum('other'), newer: sum('newer'), held: sum('held'), untouched: sum('untouched'), gone: sum('gone') };
}

export function counted(outcomes: readonly SweepOutcome[]): Tally {
  const count = (outcome: SweepOutcome) => outcomes.filter((entry) => entry === outcome).length;
  return { changed: count('changed'), ended: count('ended'), other: count('other'), newer: count('newer'), held: count('held'), untouched: count('untouched'), gone: count('gone') };
}

export function seen(tally: Tally): number {
  return OUTCOMES.reduce((total, outcome) => total + tally[outcome], 0);
}

/** `997 links revoked; 3 stay: 2 ended by their owner, 1 made since`. */
export function tallyText(tally: Tally, direction: 'contain' | 'restore'): string {
  const stays = [
    part(tally.ended, 'ended by their owner'),
    part(tally.newer, 'made since'),
    part(tally.other, 'not active before'),
    part(tally.held, 'revoked by another incident too'),
    part(tally.untouched, 'not revoked by this incident'),
    part(tally.gone, 'deleted since'),
  ].filter((text) => text !== null);
  const rest = seen(tally) - tally.changed;
  const done = `${tally.changed} ${tally.changed === 1 ? 'link' : 'links'} ${direction === 'contain' ? 'revoked' : 'given back'}`;
  return stays.length === 0 ? done : `${done}; ${rest} ${rest === 1 ? 'stays' : 'stay'} as ${rest === 1 ? 'it is' : 'they are'}: ${stays.join(', ')}`;
}

function part(count: number, what: string): string | null {
  return count === 0 ? null : `${count} ${what}`;
}
