import { defineFunction } from '../../aws/function.ts';
import { lookInput } from '../../aws/looking.ts';
import { lookAtRevocation } from './look.ts';

/** One look from outside and at the tables; the workflow waits between looks. */
export const handler = defineFunction({ name: 'revoke-share-links-verify', input: lookInput, run: lookAtRevocation });
