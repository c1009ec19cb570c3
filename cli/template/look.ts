import type { Tools } from '../../aws/function.ts';
import { addEntry, viewIncident } from '../../aws/incidents.ts';
import type { LookInput } from '../../aws/looking.ts';
import { same } from '../../core/quarantine/levels.ts';
import type { Judgement } from '../../core/quarantine/look.ts';
import { readTags } from './tags.ts';

/**
 * One look at what was changed; the workflow waits between looks. Good looks in a row make it verified, since settings of AWS
 * propagate over seconds. Where there is an outside, look from there too, as the attacker would: `aws/probe.ts`.
 */
export async function lookAtNewPlaybook(input: LookInput, tools: Tools): Promise<Judgement & { readonly looks: number }> {
  const { incident, ledger } = await viewIncident(tools, input.incident);
  const left = ledger.findLast(({ direction }) => direction === input.direction);
  const isLeft = !left || same(await readTags(tools, incident.target), left.after);
  const looks = input.looks + 1;
  const streak = isLeft ? input.streak + 1 : 0;
  const { STOPBATH_VERIFY_LOOKS: needed, STOPBATH_VERIFY_MAX_LOOKS: allowed } = tools.settings;
  const verdict = streak >= needed ? 'verified' : looks >= allowed ? 'unverified' : 'pending';
  const reason = isLeft ? `the tags are as they were left, ${streak} ${streak === 1 ? 'look' : 'looks'} in a row` : 'the tags are not as they were left: somebody changed them';
  await addEntry(tools, `${input.execution}/look/${looks}`, { incident: incident.id, at: tools.now(), kind: 'look', text: `look ${looks}: ${reason}`, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { streak, verdict } });
  return { streak, verdict, reason, looks };
}
