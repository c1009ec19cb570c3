import { matchesGlob } from '../sandbox/auth/glob.ts';
import type { Account } from '../sandbox/account.ts';

/**
 * What the suite's roles may do, and what of that was seen to be used. Each is `<role> <action> <resource pattern>`; and where a statement names partitions
 * of the table (`dynamodb:LeadingKeys`), each of these, by what the statement lets a role do there: `<role> reads|writes|deletes <partition pattern>`.
 */
export interface Usage {
  readonly granted: Set<string>;
  readonly used: Set<string>;
  /** Calls that were refused for want of a permission: `<role> <action> <resource>`, and of the table the partition. */
  readonly refused: Set<string>;
}

export function noUsage(): Usage {
  return { granted: new Set(), used: new Set(), refused: new Set() };
}

interface Grant {
  readonly role: string;
  readonly action: string;
  readonly pattern: string;
  /** The partitions that it is about; `null` where it is about no table, or all of one. */
  readonly partitions: readonly string[] | null;
}

/** Adds what a sandbox has seen: its roles with their policies as they are deployed, and every call that was made by one of them. */
export function addUsage(usage: Usage, { directory, calls, accounts }: Account): void {
  const grants = [accounts.home, ...accounts.members].flatMap((account) => directory.roles.list(account).flatMap((role) => (role.name.startsWith(SUITE) ? [...role.policies.values()].flatMap(({ text }) => grantsOf(role.name, text)) : [])));
  const byRole = Map.groupBy(grants, ({ role, action }) => `${role} ${action}`);
  for (const { role, action, pattern, partitions } of grants) {
    usage.granted.add(`${role} ${action} ${pattern}`);
    for (const partition of partitions ?? []) usage.granted.add(inPartition(role, action, partition));
  }
  for (const { principalArn, needs, error } of calls) {
    const role = /:role\/(stopbath-dev-.+)$/.exec(principalArn ?? '')?.[1]?.slice(SUITE.length);
    if (role === undefined) continue;
    for (const { action, resource, context } of needs) {
      const [key = null] = [context?.['dynamodb:leadingkeys'] ?? []].flat();
      const holds = (partition: string) => key !== null && matchesGlob(partition, key);
      const granting = (byRole.get(`${role} ${action}`) ?? []).filter(({ pattern, partitions }) => matchesGlob(pattern, resource) && (partitions === null || partitions.some(holds)));
      // What a role may, and is refused all the same, a resource's own policy refuses.
      if (error?.startsWith('AccessDenied') === true) {
        if (granting.length === 0) usage.refused.add(`${role} ${action} ${resource}${key === null ? '' : ` ${key}`}`);
        continue;
      }
      for (const { pattern, partitions } of granting) {
        usage.used.add(`${role} ${action} ${pattern}`);
        for (const partition of (partitions ?? []).filter(holds)) usage.used.add(inPartition(role, action, partition));
      }
    }
  }
}

const SUITE = 'stopbath-dev-';

function inPartition(role: string, action: string, partition: string): string {
  return `${role} ${/:(?:Get|Query)/.test(action) ? 'reads' : action === 'dynamodb:DeleteItem' ? 'deletes' : 'writes'} ${partition}`;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

function grantsOf(name: string, text: string): readonly Grant[] {
  const { Statement: statements } = JSON.parse(text) as { readonly Statement: readonly Statement[] };
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource, Condition }) => [Action].flat().flatMap((action) => [Resource].flat().map((pattern) => ({ role: name.slice(SUITE.length), action, pattern, partitions: partitionsIn(Condition) }))));
}

function partitionsIn(condition: Statement['Condition'] = {}): readonly string[] | null {
  const named = Object.entries(condition).filter(([operator]) => operator.startsWith('ForAllValues:')).map(([, keys]) => keys['dynamodb:LeadingKeys']);
  return named[0] === undefined ? null : [named[0]].flat();
}
