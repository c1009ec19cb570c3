import { reasonOf } from '../api.ts';

/** What one thing was found to be. `unknown`: whoever asks may not look. */
export interface Diagnosis {
  readonly what: string;
  readonly state: 'good' | 'bad' | 'unknown';
  readonly found: string;
  /** What to do about it; empty where nothing. */
  readonly todo: string;
}

/** Something is there, and is not as it should be: what it is in words, and what to do about it. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly todo: string;

  constructor(found: string, todo: string) {
    super(found);
    this.todo = todo;
  }
}

/** What most faults of an installation take. */
export const DEPLOY = 'deploy again: npm run package && npx osls deploy';

/**
 * One look. Its answer is what was found good; a `Trouble` says what is wrong; any other error is AWS's own, and is a fault of the
 * installation unless it is that whoever asks may not look.
 *
 * @param todo - where AWS's answer is an error
 */
export async function look(what: string, at: () => Promise<string>, todo = DEPLOY): Promise<Diagnosis> {
  try {
    return { what, state: 'good', found: await at(), todo: '' };
  } catch (error) {
    if (error instanceof Trouble) return { what, state: 'bad', found: error.message, todo: error.todo };
    if (mayNotLook(error)) return { what, state: 'unknown', found: reasonOf(error), todo: '' };
    return { what, state: 'bad', found: reasonOf(error), todo };
  }
}

/** AWS's refusals, credentials that are missing, and a sandbox that has not got the operation; wherever in the chain of causes. */
function mayNotLook(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /AccessDenied|AuthorizationError|NotImplemented|UnknownOperation|Unauthorized|CredentialsProvider|PermissionError/.test(error.name) || mayNotLook(error.cause);
}
