import type { IncidentView } from '../../core/incident.ts';

/** What playing a scenario showed: what the drill prints, the report draws and tests read. Times are ISO 8601 UTC with ms. */
export interface ScenarioResult {
  /** `<playbook>/<file name without .json>` */
  readonly scenario: string;
  readonly title: string;
  readonly playbook: string;
  /** Whether every expectation of the scenario held. */
  readonly ok: boolean;
  readonly expectations: readonly Expectation[];
  readonly startedAt: string;
  readonly endedAt: string;
  readonly incidents: readonly IncidentView[];
  /** All that happened, in order: what was done to the bucket, what arrived, what the suite decided and did, what outsiders saw. */
  readonly timeline: readonly TimelineLine[];
  readonly probes: readonly ProbeSeries[];
  readonly timings: Timings;
  /** `<playbook>:<state name>` of every state that an execution entered. */
  readonly statesEntered: readonly string[];
  /** How many states were entered, each time counted. */
  readonly transitions: number;
  readonly decisions: readonly { readonly event: string; readonly decision: string; readonly reason: string }[];
  readonly tickets: readonly { readonly id: string; readonly title: string; readonly status: string; readonly description: string }[];
}

export interface Expectation {
  /** `the outsider lost access` */
  readonly what: string;
  readonly held: boolean;
  /** What was found, in words. */
  readonly found: string;
}

export interface TimelineLine {
  readonly at: string;
  /** Who acted: `attacker`, `GuardDuty`, `triage`, `responder rosa`, `outsider`, … */
  readonly who: string;
  readonly text: string;
  readonly tone: 'bad' | 'good' | 'neutral';
}

/** What somebody outside got when asking again and again; runs of equal answers are one step. */
export interface ProbeSeries {
  /** `anonymous GET of albums/…` */
  readonly name: string;
  readonly requests: number;
  readonly steps: readonly { readonly from: string; readonly status: number; readonly requests: number }[];
}

/** Milliseconds; `null` where it did not happen. */
export interface Timings {
  readonly eventToDecided: number | null;
  readonly eventToContained: number | null;
  /** From the event to the first outside refusal after which no request was answered. */
  readonly eventToRefused: number | null;
  readonly eventToVerified: number | null;
  readonly restoreToServed: number | null;
  readonly total: number;
}
