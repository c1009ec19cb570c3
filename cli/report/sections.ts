import type { Summary } from '../summary.ts';
import { timeOfDay } from '../words.ts';
import { html, type Html } from './html.ts';
import type { Report } from './report.ts';

/** What happened, how fast, whether it is proven. */
export function summarySection(summary: Summary, { expectations, incidents }: Report): Html {
  const missed = expectations.filter((entry) => !entry.held).length;
  return html`<strong class="verdict ${summary.tone}">${summary.headline}</strong>
${incidents.map(({ incident }) => html`<p>${incident.reason}</p>`)}
<dl class="figures">${summary.times.map(([label, text]) => {
    // `1.8 s after the event`: the figure is what stands before the first word that is no unit.
    const [, figure = text, rest = ''] = /^((?:[\d.]+ (?:s|min|h|d) ?)+)(.*)$/.exec(text) ?? [];
    return html`<div><dt>${label}</dt><dd>${figure.trim()}<small>${rest}</small></dd></div>`;
  })}</dl>
${missed > 0 ? html`<p class="bad">${missed} of ${expectations.length} expectations did not hold: see below.</p>` : null}`;
}

export function timelineSection({ kind, timeline, startedAt }: Report): Html | null {
  if (timeline.length === 0) return null;
  const start = Date.parse(timeline[0]?.at ?? startedAt);
  const rows = timeline.map((entry) => {
    // A drill lasts seconds; an incident may be restored days later, and is read against other clocks.
    const time = kind === 'Drill' ? `+${((Date.parse(entry.at) - start) / 1000).toFixed(2)} s` : `${entry.at.slice(0, 10)} ${timeOfDay(entry.at)}`;
    return html`<li class="${entry.tone}"><time datetime="${entry.at}" title="${entry.at}">${time}</time><b>${entry.who}</b><span class="${entry.tone}">${entry.text}</span></li>
`;
  });
  return html`<section><h2>What happened</h2><ol class="line">
${rows}</ol></section>`;
}

export function ticketsSection({ tickets }: Report): Html | null {
  if (tickets.length === 0) return null;
  return html`<section><h2>Tickets</h2>${tickets.map(
    // The description's lines are its own: each is escaped by itself, so that line breaks stay.
    (ticket) => html`<div class="card"><p><b>${ticket.id}</b> · ${ticket.status}</p><p>${ticket.title}</p><details><summary>What it says</summary><pre class="text">${ticket.description.split('\n').map((row) => html`${row}
`)}</pre></details></div>`,
  )}</section>`;
}

export function decisionsSection({ decisions }: Report): Html | null {
  if (decisions.length === 0) return null;
  return html`<section><h2>What triage decided</h2><div class="card wide"><table><thead><tr><th>Decision</th><th>Why</th><th>Event</th></tr></thead><tbody>${decisions.map(
    (entry) => html`<tr><td>${entry.decision}</td><td>${entry.reason}</td><td class="mono">${entry.event}</td></tr>`,
  )}</tbody></table></div></section>`;
}

export function expectationsSection({ expectations }: Report): Html | null {
  if (expectations.length === 0) return null;
  return html`<section><h2>What had to be true</h2><ul class="checks card">${expectations.map(
    (entry) => html`<li><b class="${entry.held ? 'good' : 'bad'}">${entry.held ? '✓' : '✗'}</b>${entry.what} <span class="soft">${entry.found}</span></li>`,
  )}</ul></section>`;
}

/** A moment, with its day: an incident may last several, and paper has nothing to point at. */
export function clockTime(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${timeOfDay(iso)}</time>`;
}
