import { html } from './html.ts';

/** The report's looks: one column on a phone, two where there is room; dark where the reader's device is; ink on paper. */
export const style = html`
:root {
  color-scheme: light dark;
  --page: light-dark(#faf8f5, #14110f); --card: light-dark(#fff, #1e1a17); --edge: light-dark(#e4ded5, #38312b);
  --text: light-dark(#221d19, #efe9e2); --soft: light-dark(#6b6159, #a89d92);
  --bad: light-dark(#b3261e, #ff8a7d); --bad-fill: light-dark(#fbe3e0, #4a1c18); --bad-solid: light-dark(#d0453b, #d9594e);
  --good: light-dark(#1b6b3a, #7fd69d); --good-fill: light-dark(#dff3e5, #15402a); --good-solid: light-dark(#2f9a5b, #3f9f65);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: clamp(1.4rem, 5vw, 2rem); line-height: 1.2; margin: .2rem 0 .8rem; text-wrap: balance; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .7rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; }
p { margin: .4rem 0; }
code, pre, .mono { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .875em; }
.soft { color: var(--soft); }
.bad { color: var(--bad); } .good { color: var(--good); }
.over { font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 0; }
.verdict { display: block; border-radius: .6rem; padding: .8rem 1rem; font-size: 1.15rem; font-weight: 650; background: var(--card); border: 1px solid var(--edge); }
.verdict.good { background: var(--good-fill); border-color: transparent; } .verdict.bad { background: var(--bad-fill); border-color: transparent; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; padding: .9rem 1rem; margin: .7rem 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .7rem; margin: .8rem 0; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; padding: .7rem .9rem; }
.figures dt { color: var(--soft); font-size: .85rem; } .figures dd { margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); line-height: 1.35; }
.facts { display: grid; grid-template-columns: 7rem 1fr; gap: .25rem .9rem; margin: 0; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; }
.strip { position: relative; margin: .6rem 0 1.9rem; }
.bar { display: flex; height: 2.1rem; border-radius: .4rem; overflow: hidden; border: 1px solid var(--edge); }
.bar span { flex-basis: 0; min-width: 1px; } .bar .served { background: var(--bad-solid); background-image: repeating-linear-gradient(45deg, transparent 0 6px, #0002 6px 12px); } .bar .refused { background: var(--good-solid); } .bar .other { background: var(--soft); }
.mark { position: absolute; top: -.25rem; height: 2.6rem; border-left: 2px solid var(--text); }
.mark b { position: absolute; top: 2.6rem; left: -.65rem; width: 1.2rem; font-size: .72rem; line-height: 1.2rem; text-align: center; border-radius: 1rem; background: var(--text); color: var(--page); }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: .5rem 0; font-size: .9rem; }
.key i { display: inline-block; width: .9em; height: .9em; border-radius: .2em; margin-right: .35em; vertical-align: -.08em; } .key .served { background: var(--bad-solid); } .key .refused { background: var(--good-solid); }
.line { list-style: none; padding: 0; margin: 0; border-left: 2px solid var(--edge); }
.line li { position: relative; padding: .2rem 0 .55rem 1rem; } .line li::before { content: ''; position: absolute; left: -.36rem; top: .65rem; width: .6rem; height: .6rem; border-radius: 1rem; background: var(--soft); }
.line li.bad::before { background: var(--bad-solid); } .line li.good::before { background: var(--good-solid); }
.line time { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .85rem; margin-right: .6rem; } .line b { color: var(--text); margin-right: .5rem; }
.diff { margin: .4rem 0 0; padding: .5rem 0; border: 1px solid var(--edge); border-radius: .4rem; background: var(--page); line-height: 1.45; white-space: pre-wrap; }
.diff span { display: block; padding: 0 .7rem 0 1.9rem; text-indent: -1.2rem; } .diff .minus { background: var(--bad-fill); } .diff .plus { background: var(--good-fill); } .diff .same { color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; } th { text-align: left; color: var(--soft); font-weight: 500; } th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--edge); vertical-align: top; overflow-wrap: normal; } td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.checks { list-style: none; padding: 0; margin: 0; } .checks li { padding: .15rem 0 .15rem 1.6rem; text-indent: -1.6rem; } .checks b { display: inline-block; width: 1.6rem; text-indent: 0; }
summary { cursor: pointer; padding: .2rem 0; } pre.text { white-space: pre-wrap; margin: .4rem 0 0; }
footer { margin-top: 3rem; font-size: .85rem; color: var(--soft); }
@media (max-width: 30rem) { .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: .5rem; } }
@media print { :root { color-scheme: light; --page: #fff; } main { max-width: none; padding: 0; } body { font-size: 10.5pt; } .card, .figures div, .strip, .line li { break-inside: avoid; } details::details-content { content-visibility: visible; block-size: auto; } * { print-color-adjust: exact; } }
`;
