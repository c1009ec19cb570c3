import { defineFunction } from '../../aws/function.ts';
import { lookInput } from '../../aws/looking.ts';
import { lookAtQuarantine } from './look.ts';

/** One look from outside and at the state; the workflow waits between looks. */
export const handler = defineFunction({ name: 'quarantine-bucket-verify', input: lookInput, run: lookAtQuarantine });
