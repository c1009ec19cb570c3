import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { tendLeases } from './lease.ts';

/** A schedule's event says nothing that matters here. */
export const handler = defineFunction({ name: 'lease', input: z.unknown(), run: (_, tools) => tendLeases(tools) });
