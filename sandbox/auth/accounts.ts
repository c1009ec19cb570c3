import { createHash } from 'node:crypto';

/** The accounts of every sandbox: one that the suite lives in, two members of its organisation, and one outside. */
export const HOME_ACCOUNT = '111122223333';
export const MEMBER_ACCOUNTS = ['222233334444', '333344445555'] as const;
export const FOREIGN_ACCOUNT = '444455556666';

/** The organisation of the home account and its members; `aws:PrincipalOrgID` of its principals. */
export const ORGANIZATION = 'o-stopbath01';

export function organizationOf(account: string): string | null {
  return account === HOME_ACCOUNT || MEMBER_ACCOUNTS.some((member) => member === account) ? ORGANIZATION : null;
}

/** The account's canonical user id, by which S3 names owners and grantees: 64 hexadecimal characters. */
export function canonicalUserId(account: string): string {
  return createHash('sha256').update(`canonical user of ${account}`).digest('hex');
}
