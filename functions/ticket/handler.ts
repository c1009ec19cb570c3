import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { chooseTrackers, writeTicket } from './ticket.ts';

const input = z.union([
  z.strictObject({ incident: z.string().min(1), execution: z.string().min(1), tracker: z.string().min(1), since: z.iso.datetime() }),
  z.strictObject({ incident: z.string().min(1), execution: z.string().min(1) }),
]);

/** Without a tracker: which trackers an incident concerns. With one: one try to bring its ticket there up to date. */
export const handler = defineFunction({ name: 'ticket', input, run: async (asked, tools) => ('tracker' in asked ? await writeTicket(asked, tools) : await chooseTrackers(asked, tools)) });
