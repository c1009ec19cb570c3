import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { eraseOwner, OwnerInUseError } from '../../aws/owners.ts';

/**
 * Erases an owner, for good: 200 `{ pseudonym, incidents, by, at }`; 404 where the suite knows no such owner; 409 while an incident is under way.
 * What is locked stays as it is and verifiable; nobody can tell any more whom it means.
 */
export async function erase({ ownerId, reason }: { readonly ownerId: string; readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const at = tools.now();
  try {
    const erased = await eraseOwner(tools, ownerId, { account: tools.settings.STOPBATH_ACCOUNT, by, at, reason });
    return erased ? httpAnswer(200, { ...erased, by, at }) : httpAnswer(404, { error: 'the suite knows no such owner: nothing of it is on record, or it was erased before' });
  } catch (error) {
    if (error instanceof OwnerInUseError) return httpAnswer(409, { error: error.message });
    throw error;
  }
}
