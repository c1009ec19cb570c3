import type { ConditionContext } from '../service.ts';
import { globOf } from './glob.ts';
import type { Glob } from './glob.ts';

/**
 * A policy's text with its `${…}` variables filled in from the request. What a request says stands for itself: a
 * `*` in a user's name is no wildcard. `null` where a variable has neither value nor default: nothing matches then.
 * Policies of version 2008-10-17 have no variables.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function resolveVariables(text: string, context: ConditionContext, version: string): Glob | null {
  if (version !== '2012-10-17' || !text.includes('${')) return globOf(text);
  const pieces: (string | symbol)[] = [];
  let at = 0;
  for (const found of text.matchAll(/\$\{([^}]*)\}/g)) {
    pieces.push(...globOf(text.slice(at, found.index)));
    at = found.index + found[0].length;
    const value = valueOf(found[1] ?? '', context);
    if (value === null) return null;
    pieces.push(...value.split(''));
  }
  pieces.push(...globOf(text.slice(at)));
  return pieces;
}

function valueOf(expression: string, context: ConditionContext): string | null {
  // ${*}, ${?} and ${$} are the characters themselves.
  if (/^[*?$]$/.test(expression)) return expression;
  const [, name = '', fallback] = /^([^,]*)(?:,\s*'([^']*)'\s*)?$/.exec(expression) ?? [];
  const key = name.trim().toLowerCase();
  const value = Object.hasOwn(context, key) ? context[key] : undefined;
  // A key with several values cannot be a variable.
  return typeof value === 'string' ? value : (fallback ?? null);
}
