import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { IncidentView } from '../../core/incident.ts';
import type { ScenarioResult, Timings } from '../../sandbox/scenario/result.ts';
import { CliError, EXIT } from '../exit.ts';
import { summarize } from '../summary.ts';
import { timelineOf } from '../timeline.ts';
import { instant } from '../words.ts';
import { accessSection } from './access.ts';
import { html, type Html } from './html.ts';
import { incidentSection } from './incident.ts';
import { decisionsSection, expectationsSection, summarySection, ticketsSection, timelineSection } from './sections.ts';
import { style } from './style.ts';

/** What a report is drawn from: a drill has all of it, an incident of the real world what its record holds. */
export interface Report extends Pick<ScenarioResult, 'title' | 'startedAt' | 'endedAt' | 'incidents' | 'timeline' | 'probes' | 'expectations' | 'decisions' | 'tickets'> {
  readonly kind: 'Drill' | 'Incident';
  readonly timings: Timings | null;
}

/** One self-contained file: no script, nothing fetched, every text escaped. */
export function renderReport(report: Report): string {
  const summary = summarize(report.incidents, report.timings);
  const page: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${summary.headline}: ${report.title}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="over">Stopbath · ${report.kind} · ${instant(report.startedAt)}</p>
<h1>${report.title}</h1>
${summarySection(summary, report)}
</header>
${accessSection(report)}
${timelineSection(report)}
${report.incidents.map(incidentSection)}
${ticketsSection(report)}
${decisionsSection(report)}
${expectationsSection(report)}
<footer>All times are UTC. Written by Stopbath from the incident's own record; texts of events are shown as they arrived, without control characters.</footer>
</main>
</body>
</html>
`;
  return page.toString();
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
