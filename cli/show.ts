import type { Command } from 'commander';
import { viewIncident, type Person } from './api.ts';
import { approvalText, incidentHead, ledgerText, looksText, planText, undoText } from './incident-text.ts';
import { heading, say, sayJson, tell } from './terminal.ts';
import { timelineOf, timelineText } from './timeline.ts';
import { progressText, watch, WATCH_HELP } from './watch.ts';

/** `stopbath show <incident>`: everything that is on record about one incident. */
export function register(program: Command): void {
  program
    .command('show')
    .description('show an incident: timeline, plans with their changes, ledger, looks, ticket')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .option('--watch', 'stay and show what becomes of it')
    .option('--json', 'print { incident, plans, ledger, entries, approvals, … } as JSON')
    .option('--report <file>', 'write it as one HTML file too')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', `\nExample:\n  $ stopbath show inc-0f3a9c --as ada\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials.\n${WATCH_HELP}`)
    .action(async (id: string, options: Person & { readonly watch?: true; readonly json?: true; readonly report?: string }) => {
      const view = options.watch ? await watch(id, options, options.json ? tell : say) : await viewIncident(id, options);
      if (options.report !== undefined) {
        const { reportOfIncident, writeReport } = await import('./report/report.ts');
        await writeReport(options.report, reportOfIncident(view));
      }
      if (options.json) return sayJson(view);
      say(...incidentHead(view), heading('Timeline'), ...timelineOf(view).map(timelineText));
      for (const plan of view.plans) say(...planText(plan));
      for (const approval of view.approvals) say(...approvalText(approval));
      if (view.progress.length > 0) say(heading('Progress'), ...view.progress.map((step) => `  ${progressText(step)}`));
      say(...ledgerText(view), ...undoText(view), ...looksText(view));
      if (options.report !== undefined) say('', `Report: ${options.report}`);
    });
}
