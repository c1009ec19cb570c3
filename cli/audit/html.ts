import { plain } from '../../core/text.ts';
import { incidentSection } from '../report/incident.ts';
import { html, type Html } from '../report/html.ts';
import { pageFoot, pageHead } from '../report/page.ts';
import { reportOfIncident } from '../report/report.ts';
import { timelineSection } from '../report/sections.ts';
import { count, instant, statusWords } from '../words.ts';
import type { Source, Summary } from './export.ts';
import { numbersTables, type NumbersTable } from './numbers-text.ts';
import type { FullView } from './walk.ts';

/**
 * An export as one page: no script, nothing fetched, every text escaped. It is written in parts, in this order: head, a
 * row an incident, `htmlAfterIndex`, an article an incident, end.
 */
export function htmlHead({ question, startedAt }: Source, summary: Summary): string {
  const { incidents, decisions, complete, numbers } = summary;
  const { since, until, ...filters } = question;
  return html`${pageHead({ title: `Stopbath: incidents ${dayOf(since)} to ${dayOf(until)}`, over: `Stopbath · Export · ${instant(startedAt)}`, heading: `Incidents from ${momentOf(since)} to ${momentOf(until)}`, more })}<strong class="verdict ${complete ? 'good' : 'bad'}">${complete ? `Complete: ${count(incidents.exported, 'incident')}, as many as there are` : `Not complete: ${incidents.exported} of ${count(incidents.expected, 'incident')}`}</strong>
<p>${Object.keys(filters).length === 0 ? 'Without a filter.' : `Only: ${Object.entries(filters).map(([name, value]) => `${name} ${value}`).join(', ')}.`}
${decisions === null ? 'Decisions about events are not counted where incidents are filtered.' : `${count(decisions, 'decision')} about events.`}</p>
${figures(summary)}
</header>
<section><h2>Numbers</h2><div class="numbers">${numbersTables(numbers).map(tableCard)}</div></section>
${sealsSection(summary)}
<section><h2>Incidents</h2><div class="card wide"><table><thead><tr><th>Received</th><th>Incident</th><th>Status</th><th>Target</th><th>Mode</th></tr></thead><tbody>
`.toString();
}

export function htmlIndexRow({ view: { incident } }: FullView): string {
  const { words, tone } = statusWords(incident.status);
  return html`<tr><td class="time">${instant(incident.receivedAt)}</td><td><a class="mono" href="#${anchorOf(incident.id)}">${incident.id}</a>${incident.drill ? ' (drill)' : ''}</td><td class="${tone}">${words}</td><td>${incident.target.name}</td><td>${incident.mode}</td></tr>
`.toString();
}

export function htmlAfterIndex(): string {
  return '</tbody></table></div></section>\n';
}

export function htmlIncident({ view, records }: FullView): string {
  const { incident } = view;
  return html`<article id="${anchorOf(incident.id)}">
${incidentSection(view)}
${timelineSection(reportOfIncident(view))}
${records.length === 0 ? html`<p class="soft">No sealed record of it is known.</p>` : html`<h3>On record</h3><div class="card wide"><table><thead><tr><th>Record</th><th>SHA-256</th><th>Seal</th></tr></thead><tbody>${records.map((record) => html`<tr><td>${record.key}</td><td class="mono">${record.sha256}</td><td>${record.seal}</td></tr>`)}</tbody></table></div>`}
</article>
`.toString();
}

export function htmlEnd(): string {
  return pageFoot("Written by stopbath export from the suite's table. Whether the records behind it are unchanged, stopbath verify says").toString();
}

const more = html`
.figures.many { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); }
.numbers { columns: 2 24rem; column-gap: 1rem; } .numbers .card { break-inside: avoid; margin: 0 0 .8rem; } .numbers h3 { margin: 0 0 .3rem; } .numbers td:not(:first-child) { font-variant-numeric: tabular-nums; }
article { margin-top: 3rem; padding-top: 1rem; border-top: 3px solid var(--edge); content-visibility: auto; contain-intrinsic-size: auto 60rem; }
a { color: inherit; }
@media print { main { padding: 0 .5rem; } h2, h3, thead { break-after: avoid; } tr { break-inside: avoid; } .numbers { columns: 2 15rem; font-size: .85em; } .numbers .card { break-inside: auto; } .wide { overflow: visible; } article { break-before: page; content-visibility: visible; } a { text-decoration: none; } }
`;

/** Cells up to this long stay on one line, characters. */
const SHORT = 14;

function figures({ numbers, incidents, seals }: Summary): Html {
  const verified = numbers.times.sinceEvent.verified;
  const cells: readonly (readonly [string, string, string])[] = [
    ['Incidents', String(incidents.exported), `${numbers.drills.held} of them drills`],
    ['Proven after', verified.p50 === null ? '–' : `${(verified.p50 / 1000).toFixed(1)} s`, verified.p90 === null ? 'none was proven' : `median of ${verified.count}; p90 ${(verified.p90 / 1000).toFixed(1)} s, longest ${((verified.max ?? 0) / 1000).toFixed(1)} s`],
    ['Not proven', String(numbers.unverified.count), 'acted, and not seen closed'],
    ['Gaps', String(Object.values(numbers.gaps).reduce((sum, gap) => sum + gap.count, 0)), 'named below'],
    ['Seals', String(seals.length), 'of the period'],
  ];
  return html`<dl class="figures many">${cells.map(([label, figure, rest]) => html`<div><dt>${label}</dt><dd>${figure}<small>${rest}</small></dd></div>`)}</dl>`;
}

function tableCard({ title, head, rows, bad, note }: NumbersTable): Html {
  return html`<div class="card wide"><h3 class="${bad === true ? 'bad' : ''}">${title}</h3><table><thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map((cell) => (cell.length <= SHORT ? html`<td class="time">${cell}</td>` : html`<td>${cell}</td>`))}</tr>`)}</tbody></table>${note === undefined ? null : html`<p class="soft">${note}</p>`}</div>
`;
}

function sealsSection({ records, seals, unknownSeals }: Summary): Html {
  const first = seals[0];
  const last = seals.at(-1);
  if (!first || !last) return html`<section><h2>Seals</h2><p>No seal covers this period yet.</p></section>`;
  return html`<section><h2>Seals</h2><div class="card"><p>${count(seals.length, 'seal')}, number ${first.number} (${instant(first.at)}) to ${last.number} (${instant(last.at)}); ${count(records, 'record')} of these incidents in them.</p>
<p>The last: <code>${last.key}</code>, SHA-256 <code>${last.sha256}</code></p>${unknownSeals.length === 0 ? null : html`<p class="bad">Named by records and not there: seal ${unknownSeals.join(', ')}</p>`}</div></section>`;
}

/** Ids are the suite's own; anything else in one must not leave the attribute or break the link. */
function anchorOf(id: string): string {
  return plain(id).replaceAll(/[^\w-]/g, '_');
}

/** A moment as short as it can be said: most exports begin with a day. */
function momentOf(iso: string | undefined): string {
  return iso?.endsWith('T00:00:00.000Z') ? dayOf(iso) : instant(iso ?? null);
}

function dayOf(iso: string | undefined): string {
  return iso?.slice(0, 10) ?? '';
}
