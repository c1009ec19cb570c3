import type { Tools } from '../../aws/function.ts';

export interface NewFunctionInput {
  /** The incident that it is about. */
  readonly incident: string;
}

/** What the function does; `handler.ts` only says what it takes. */
export async function newFunction({ incident }: NewFunctionInput, tools: Tools): Promise<{ readonly incident: string; readonly at: string }> {
  tools.log.info('called', { incident });
  return await Promise.resolve({ incident, at: tools.now() });
}
