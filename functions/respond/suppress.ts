import { z } from 'zod';
import type { Tools } from '../../aws/function.ts';
import { measure } from '../../aws/metrics.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addSuppression, endSuppression } from '../../aws/suppressions.ts';
import { InvalidEventPatternError } from '../../core/event-pattern.ts';
import { readSuppression, silencesEverything, SuppressionSchema, vagueIn } from '../../core/suppression.ts';

/** What nobody looks at again is no longer accepted by anybody. */
const LONGEST_MS = 366 * 86_400_000;

export const unsuppressBody = z.strictObject({ id: z.string().min(1).max(128), reason: z.string().trim().min(1, 'say why, for the record').max(1024) });

/** Accepts an exposure, until it expires: 201 with the suppression; 409 where the id is taken. */
export async function suppress(body: unknown, by: string, tools: Tools): Promise<HttpAnswer> {
  const at = tools.now();
  const document = SuppressionSchema.parse(body);
  if (Date.parse(document.expires) <= Date.parse(at)) return httpAnswer(400, { error: `expires is ${document.expires}: it must be in the future` });
  if (Date.parse(document.expires) > Date.parse(at) + LONGEST_MS) return httpAnswer(400, { error: `expires is ${document.expires}: at most a year from now, so that somebody looks at it again` });
  try {
    const vague = vagueIn(document.pattern);
    if (vague !== null) return httpAnswer(400, { error: `pattern: ${JSON.stringify(vague)} is in nearly everything: write the name out, or at least four characters of it in a row` });
    if (silencesEverything(readSuppression(document))) return httpAnswer(400, { error: 'pattern: it accepts whatever comes: name the type or the target that is accepted (a kind, or what every ARN begins with, names none)' });
  } catch (error) {
    if (error instanceof InvalidEventPatternError) return httpAnswer(400, { error: `pattern: ${error.message}` });
    throw error;
  }
  if (!(await addSuppression(tools, document, by, at))) return httpAnswer(409, { error: `there is a suppression ${JSON.stringify(document.id)}: choose another id, or end that one first` });
  measure(tools, { Suppressions: 1 });
  return httpAnswer(201, { ...document, by, at });
}

/** Ends a suppression now: 200; 404 where there is none. It stays on record. */
export async function unsuppress({ id, reason }: z.infer<typeof unsuppressBody>, by: string, tools: Tools): Promise<HttpAnswer> {
  const at = tools.now();
  if (!(await endSuppression(tools, id, { by, at, reason }))) return httpAnswer(404, { error: `there is no suppression ${JSON.stringify(id)} that has not ended; stopbath suppressions lists them` });
  return httpAnswer(200, { id, ended: at, by, reason });
}
