import type { ProbeSeries } from '../../sandbox/scenario/result.ts';
import { count, duration } from '../words.ts';
import { html, type Html } from './html.ts';
import type { Report } from './report.ts';

/** When the outsider could read: a strip over the time of the drill for each series of requests. */
export function accessSection(report: Report): Html | null {
  if (report.probes.length === 0) return null;
  return html`<section><h2>Who could read from outside, and when</h2>
${report.probes.map((series) => strip(series, report))}
<ul class="key"><li><i class="served"></i>served</li><li><i class="refused"></i>refused</li></ul></section>`;
}

function strip(series: ProbeSeries, report: Report): Html {
  const start = Date.parse(series.steps[0]?.from ?? report.startedAt);
  const end = Math.max(Date.parse(report.endedAt), start + 1);
  const at = (iso: string) => Math.min(100, Math.max(0, ((Date.parse(iso) - start) / (end - start)) * 100));
  const spans = series.steps.map((step, index) => {
    const until = Date.parse(series.steps[index + 1]?.from ?? report.endedAt);
    const ms = Math.max(0, until - Date.parse(step.from));
    return { step, ms, kind: kindOf(step.status) };
  });
  const marks = marksOf(report).map((mark, index) => ({ ...mark, number: index + 1 }));
  return html`<div class="card"><p><b>${series.name}</b> <span class="soft">${count(series.requests, 'request')} in ${duration(end - start)}</span></p>
<div class="strip" role="img" aria-label="${spans.map(({ step, ms, kind }) => `${kind} (${step.status}) for ${duration(ms)}`).join(', ')}">
<div class="bar">${spans.map(({ step, ms, kind }) => html`<span class="${kind}" style="flex-grow:${ms}" title="${step.status} × ${step.requests}, ${duration(ms)}"></span>`)}</div>
${marks.map((mark) => html`<span class="mark" style="left:${at(mark.at).toFixed(2)}%"><b>${mark.number}</b></span>`)}
</div>
<ul class="key">${marks.map((mark) => html`<li><b>${mark.number}</b> ${mark.text} <span class="soft">${duration(Date.parse(mark.at) - start)}</span></li>`)}</ul>
</div>`;
}

function kindOf(status: number): 'served' | 'refused' | 'other' {
  if (status >= 200 && status < 300) return 'served';
  return status === 401 || status === 403 ? 'refused' : 'other';
}

/** The moments that the strip is read against, of the first incident. */
function marksOf({ incidents }: Report): readonly { readonly at: string; readonly text: string }[] {
  const view = incidents[0];
  if (!view) return [];
  const { receivedAt, containedAt, verifiedAt, restoredAt } = view.incident;
  const asked = view.entries.find((entry) => entry.kind === 'request')?.at ?? null;
  const moments: (readonly [string | null, string])[] = [
    [receivedAt, 'the event arrived'],
    [containedAt, 'the API said OK'],
    [verifiedAt, 'proven'],
    [asked, 'a responder asked to restore'],
    [restoredAt, 'restored'],
  ];
  return moments.flatMap(([at, text]) => (at === null ? [] : [{ at, text }])).toSorted((a, b) => a.at.localeCompare(b.at));
}
