import type { Entry, IncidentView } from '../../core/incident.ts';
import type { TimelineLine } from './result.ts';

/** The timeline as it grows: lines of the play, and the entries of incidents as they appear on record. */
export interface History {
  readonly add: (line: TimelineLine) => void;
  /** Takes in the entries that are new. */
  readonly follow: (incidents: readonly IncidentView[]) => void;
  /** By time. */
  readonly all: () => readonly TimelineLine[];
}

export function history(onLine: (line: TimelineLine) => void = () => undefined): History {
  const lines: TimelineLine[] = [];
  const seen = new Set<string>();
  const add = (line: TimelineLine) => {
    lines.push(line);
    onLine(line);
  };
  return {
    add,
    follow: (incidents) => {
      const fresh = incidents
        .flatMap((view) => view.entries)
        .filter((entry) => !seen.has(keyOf(entry)))
        .toSorted((a, b) => a.at.localeCompare(b.at));
      for (const entry of fresh) {
        seen.add(keyOf(entry));
        add({ at: entry.at, who: whoOf(entry), text: entry.text, tone: toneOf(entry) });
      }
    },
    all: () => lines.toSorted((a, b) => a.at.localeCompare(b.at)),
  };
}

function keyOf(entry: Entry): string {
  return `${entry.incident} ${entry.at} ${entry.kind} ${entry.text}`;
}

function whoOf(entry: Entry): string {
  if (entry.kind === 'signal') return entry.by === 'guardduty' ? 'GuardDuty' : 'CloudTrail';
  const last = entry.by.split('/').at(-1) ?? entry.by;
  return entry.kind === 'request' || (entry.kind === 'approval' && entry.by.startsWith('arn:')) ? `responder ${last}` : last.replace(/^stopbath-[a-z0-9]+-/, '');
}

function toneOf(entry: Entry): TimelineLine['tone'] {
  if (entry.kind === 'failure') return 'bad';
  if (entry.kind !== 'outcome') return 'neutral';
  return /^(verified|restored and verified)/.test(entry.text) ? 'good' : /not proven/.test(entry.text) ? 'bad' : 'neutral';
}
