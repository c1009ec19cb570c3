import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { writeTicket } from './ticket.ts';

const input = z.strictObject({ incident: z.string().min(1), execution: z.string().min(1) });

/** Brings the incident's ticket to what the incident is now: opened once, then updated, closed at a verified end. */
export const handler = defineFunction({ name: 'ticket', input, run: writeTicket });
