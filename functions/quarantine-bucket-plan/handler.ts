import { defineFunction } from '../../aws/function.ts';
import { planInput } from '../../aws/planning.ts';
import { planQuarantine } from './plan.ts';

/** Reads the bucket and plans; changes nothing, and has no permission to. */
export const handler = defineFunction({ name: 'quarantine-bucket-plan', input: planInput, run: planQuarantine });
