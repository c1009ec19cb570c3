import { matchesGlob } from '../sandbox/auth/glob.ts';
import type { Account } from '../sandbox/account.ts';

/** What the suite's roles may do, and what of that was seen to be used. Each is `<role> <action> <resource pattern>`. */
export interface Usage {
  readonly granted: Set<string>;
  readonly used: Set<string>;
  /** Calls that were refused for want of a permission: `<role> <action> <resource>`. */
  readonly refused: Set<string>;
}

export function noUsage(): Usage {
  return { granted: new Set(), used: new Set(), refused: new Set() };
}

interface Grant {
  readonly role: string;
  readonly action: string;
  readonly pattern: string;
}

/** Adds what a sandbox has seen: its roles with their policies as they are deployed, and every call that was made by one of them. */
export function addUsage(usage: Usage, { directory, calls, accounts }: Account): void {
  const grants = [accounts.home, ...accounts.members].flatMap((account) => directory.roles.list(account).flatMap((role) => (role.name.startsWith(SUITE) ? [...role.policies.values()].flatMap(({ text }) => grantsOf(role.name, text)) : [])));
  const byRole = Map.groupBy(grants, ({ role, action }) => `${role} ${action}`);
  for (const { role, action, pattern } of grants) usage.granted.add(`${role} ${action} ${pattern}`);
  for (const { principalArn, needs, error } of calls) {
    const role = /:role\/(stopbath-dev-.+)$/.exec(principalArn ?? '')?.[1]?.slice(SUITE.length);
    if (role === undefined) continue;
    for (const { action, resource } of needs) {
      const granting = (byRole.get(`${role} ${action}`) ?? []).filter(({ pattern }) => matchesGlob(pattern, resource));
      // What a role may, and is refused all the same, a resource's own policy refuses.
      if (error?.startsWith('AccessDenied') !== true) for (const { pattern } of granting) usage.used.add(`${role} ${action} ${pattern}`);
      else if (granting.length === 0) usage.refused.add(`${role} ${action} ${resource}`);
    }
  }
}

const SUITE = 'stopbath-dev-';

function grantsOf(name: string, text: string): readonly Grant[] {
  const { Statement } = JSON.parse(text) as { readonly Statement: readonly { readonly Effect: string; readonly Action: string | readonly string[]; readonly Resource: string | readonly string[] }[] };
  return Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action, Resource }) => [Action].flat().flatMap((action) => [Resource].flat().map((pattern) => ({ role: name.slice(SUITE.length), action, pattern }))));
}
