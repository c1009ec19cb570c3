import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { IncidentView } from '../../core/incident.ts';
import type { ScenarioResult, Timings } from '../../sandbox/scenario/result.ts';
import { CliError, EXIT } from '../exit.ts';
import { summarize } from '../summary.ts';
import { timelineOf } from '../timeline.ts';
import { instant } from '../words.ts';
import { accessSection } from './access.ts';
import { html } from './html.ts';
import { incidentSection } from './incident.ts';
import { pageFoot, pageHead } from './page.ts';
import { decisionsSection, expectationsSection, summarySection, ticketsSection, timelineSection } from './sections.ts';

/** What a report is drawn from: a drill has all of it, an incident of the real world what its record holds. */
export interface Report extends Pick<ScenarioResult, 'title' | 'startedAt' | 'endedAt' | 'incidents' | 'timeline' | 'probes' | 'expectations' | 'decisions' | 'tickets'> {
  readonly kind: 'Drill' | 'Incident';
  readonly timings: Timings | null;
}

/** One self-contained file: no script, nothing fetched, every text escaped. */
export function renderReport(report: Report): string {
  const summary = summarize(report.incidents, report.timings);
  return html`${pageHead({ title: `${summary.headline}: ${report.title}`, over: `Stopbath · ${report.kind} · ${instant(report.startedAt)}`, heading: report.title })}${summarySection(summary, report)}
</header>
${accessSection(report)}
${timelineSection(report)}
${report.incidents.map(incidentSection)}
${ticketsSection(report)}
${decisionsSection(report)}
${expectationsSection(report)}
${pageFoot("Written by Stopbath from the incident's own record")}`.toString();
}

export function reportOfScenario(result: ScenarioResult): Report {
  return { ...result, kind: 'Drill' };
}

/** A report of what is on record: nobody kept asking from outside, so there is no strip of answers. */
export function reportOfIncident(view: IncidentView): Report {
  const { incident } = view;
  const timeline = timelineOf(view);
  return {
    kind: 'Incident',
    title: incident.title,
    startedAt: incident.eventTime,
    endedAt: timeline.at(-1)?.at ?? incident.decidedAt,
    incidents: [view],
    timeline,
    probes: [],
    timings: null,
    expectations: [],
    decisions: [],
    tickets: [],
  };
}

/** @throws {CliError} where the file cannot be written */
export async function writeReport(path: string, report: Report): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, renderReport(report));
  } catch (cause) {
    throw new CliError(EXIT.usage, `the report cannot be written to ${path} (${cause instanceof Error ? cause.message : String(cause)}): choose another place`, { cause });
  }
}
