import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { triage } from './triage.ts';

/**
 * An event as EventBridge delivers it, whatever is in it; or, from a person with the permission to invoke this function,
 * one to be played as a drill. No source can forge a drill: the envelope's own keys are EventBridge's.
 */
const input = z.union([
  z.strictObject({ drill: z.literal(true), event: z.unknown() }).transform(({ event }) => ({ event, drill: true })),
  z.unknown().transform((event) => ({ event, drill: false })),
]);

/** Decides about an event, claims what it names, and starts playbooks. */
export const handler = defineFunction({ name: 'triage', input, run: triage });
