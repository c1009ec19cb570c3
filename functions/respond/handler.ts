import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { respond } from './respond.ts';

/** A function URL's request, format 2.0. Who asks is what AWS says in `authorizer.iam`, never what the body says. */
const input = z.object({
  rawPath: z.string(),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({ http: z.object({ method: z.string() }), authorizer: z.object({ iam: z.object({ userArn: z.string().min(1) }) }) }),
});

/** Takes a responder's requests. Its URL asks for IAM auth, and the grant to invoke it holds only through the URL. */
export const handler = defineFunction({ name: 'respond', input, run: respond });
export type RespondRequest = z.infer<typeof input>;
