import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { sealEvidence } from './seal.ts';

/** Seals whatever came on record since the last seal. Its schedule's event says nothing that it needs. */
export const handler = defineFunction({ name: 'seal', input: z.unknown(), run: (_, tools) => sealEvidence(tools) });
