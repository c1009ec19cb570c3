import { defineFunction } from '../../aws/function.ts';
import { lookInput } from '../../aws/looking.ts';
import { lookAtPrincipal } from './look.ts';

/** One look at what the old credentials may; the workflow waits between looks. */
export const handler = defineFunction({ name: 'contain-principal-verify', input: lookInput, run: lookAtPrincipal });
