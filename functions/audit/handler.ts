import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { answer } from './audit.ts';

/** A function URL's request, format 2.0: what AWS says of the caller and what the caller says. */
const input = z.object({
  rawPath: z.string(),
  queryStringParameters: z.record(z.string(), z.string()).default({}),
  requestContext: z.object({ http: z.object({ method: z.string() }), authorizer: z.object({ iam: z.object({ userArn: z.string() }) }) }),
});

/** Serves reading, and nothing else: its role cannot write. */
export const handler = defineFunction({ name: 'audit', input, run: answer });
export type AuditRequest = z.infer<typeof input>;
