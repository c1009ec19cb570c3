import { policyText } from '../auth/directory.ts';
import type { Account } from '../account.ts';
import type { Caller } from '../service.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { call } from './steps.ts';

/** Puts what goes wrong in force: scripted failures, permissions taken away, and what somebody does meanwhile. */
export function arrange({ failures, meanwhile }: Scenario, account: Account, stage: Stage): void {
  for (const failure of failures) {
    if ('permission' in failure) {
      takeAway(account, stage.roleOf(failure.of), failure.permission);
      continue;
    }
    const { call: what, by, ...rest } = failure;
    const [service, operation] = split(what);
    account.inject({ service, operation, role: stage.roleOf(by), ...rest, message: rest.message ?? `scripted: ${rest.code}` });
  }
  for (const { call: what, by, from, times, do: step } of meanwhile) {
    const [service, operation] = split(what);
    let seen = 0;
    account.interrupt(async (calledService, calledOperation, caller) => {
      if (calledService !== service || calledOperation !== operation || roleName(caller) !== stage.roleOf(by)) return;
      seen++;
      if (seen >= from && seen < from + times) await call(step, stage, seen - from + 1);
    });
  }
}

/** Rewrites a role's policies without an action: statements that had only this one go. */
export function takeAway(account: Account, roleName: string, action: string): void {
  const role = account.directory.roles.find(account.accounts.home, roleName);
  if (!role) throw new Error(`there is no role ${roleName}`);
  for (const [name, { text }] of role.policies) {
    const document = JSON.parse(text) as { Statement: { Action: string | string[] }[] };
    const Statement = document.Statement.map((entry) => ({ ...entry, Action: [entry.Action].flat().filter((held) => held !== action) })).filter((entry) => entry.Action.length > 0);
    role.policies.set(name, policyText(JSON.stringify({ ...document, Statement })));
  }
}

function split(what: string): readonly [string, string] {
  const [service = '', operation = ''] = what.split(':');
  return [service, operation];
}

function roleName(caller: Caller): string {
  return caller.kind === 'role' ? (caller.principalArn.split('/').at(-1) ?? '') : '';
}
