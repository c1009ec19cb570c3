import { writeSwitch } from '../../aws/guard.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';

/** The kill switch: nothing is contained until somebody resumes; what arrives is held and ticketed. Restoring stays possible. */
export async function pause({ reason }: { readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const at = tools.now();
  await writeSwitch(tools, { paused: true, by, at, reason });
  return httpAnswer(200, { paused: true, by, at, reason });
}

export async function resume({ reason }: { readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const at = tools.now();
  await writeSwitch(tools, { paused: false, by, at, reason });
  return httpAnswer(200, { paused: false, by, at, reason });
}
