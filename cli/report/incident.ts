import type { Change, IncidentView, Plan } from '../../core/incident.ts';
import { impactText } from '../../core/impact.ts';
import { diffOf } from '../diff.ts';
import { spaced, ticketLines } from '../incident-text.ts';
import { count, instant, modeWords, statusWords } from '../words.ts';
import { html, type Content, type Html } from './html.ts';
import { clockTime } from './sections.ts';

/** One incident: what it is, what was planned with every before and after, what was done, what was seen. */
export function incidentSection(view: IncidentView): Html {
  const { incident } = view;
  const { words, tone } = statusWords(incident.status);
  return html`<section><h2>Incident <span class="mono">${incident.id}</span>${incident.drill ? ' (drill)' : null}</h2>
<div class="card"><dl class="facts">${fact('Status', html`<b class="${tone}">${words}</b>`)}
${fact('Outcome', incident.outcome)}
${fact('Why', incident.reason)}
${fact('Target', html`<code>${incident.target.arn}</code>`)}
${fact('Account', `${incident.target.account}, ${incident.target.region}`)}
${incident.exposures.map((exposure) => fact('Way in', exposure))}
${incident.actor === null ? null : fact('Actor', incident.actor)}
${fact('Severity', incident.severity)}
${fact('Mode', modeWords(incident.mode, incident.recommendedMode))}
${fact('Asked by', incident.requestedBy)}
${fact('Event', instant(incident.eventTime))}
${fact('Contained', instant(incident.containedAt))}
${fact('Proven', instant(incident.verifiedAt))}
${incident.restoredAt === null ? null : fact('Restored', instant(incident.restoredAt))}
${ticketLines(incident).map((ticket) => fact('Ticket', ticket))}</dl></div>
${view.plans.map(planSection)}
${ledgerTable(view)}
${looksTable(view)}</section>`;
}

function fact(label: string, content: Content): Html {
  return html`<dt>${label}</dt><dd>${content}</dd>`;
}

function planSection(plan: Plan): Html {
  const level = plan.level === null ? '' : ` at level ${plan.level}`;
  return html`<h3>Plan to ${plan.direction}${level}: ${count(plan.changes.length, 'change')}</h3>
<dl class="facts">${fact('Digest', html`<code>${plan.digest}</code>`)}
${Object.entries(plan.impact).map(([key, value]) => fact(spaced(key), impactText(value)))}
${plan.notes.map((note) => fact('Note', note))}</dl>
${plan.changes.map((change) => changeCard(change, plan.direction === 'contain'))}`;
}

function changeCard(change: Change, open: boolean): Html {
  const rows = diffOf(change).map(({ sign, text }) => html`<span class="${sign === '-' ? 'minus' : sign === '+' ? 'plus' : 'same'}">${sign} ${text}</span>`);
  const body = html`<summary><b>${change.seq}. ${change.title}</b> <span class="soft">${change.setting}</span></summary><pre class="diff">${rows}</pre>`;
  return open ? html`<details class="card" open>${body}</details>` : html`<details class="card">${body}</details>`;
}

function ledgerTable(view: IncidentView): Html {
  if (view.ledger.length === 0) return html`<h3>Ledger</h3><p>Empty: nothing was changed.</p>`;
  const rows = view.ledger.map(
    (entry) =>
      html`<tr><td>${entry.direction}</td><td>${entry.title} <span class="soft">${entry.setting}</span></td><td class="time">${clockTime(entry.intendedAt)}</td><td class="time">${entry.doneAt === null ? html`<b class="bad">not acknowledged</b>` : clockTime(entry.doneAt)}</td></tr>`,
  );
  return html`<h3>Ledger</h3><div class="card wide"><table><thead><tr><th>Direction</th><th>Change</th><th>Intended</th><th>Done</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function looksTable(view: IncidentView): Html | null {
  const looks = view.entries.filter((entry) => entry.kind === 'look');
  if (looks.length === 0) return null;
  return html`<h3>Looks from outside</h3><div class="card wide"><table><tbody>${looks.map((entry) => html`<tr><td class="time">${clockTime(entry.at)}</td><td>${entry.text}</td></tr>`)}</tbody></table></div>`;
}
