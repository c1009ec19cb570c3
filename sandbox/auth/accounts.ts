import { createHash } from 'node:crypto';

/** The accounts of every sandbox: one that the suite lives in, and one outside its organisation. */
export const HOME_ACCOUNT = '111122223333';
export const FOREIGN_ACCOUNT = '444455556666';

/** The organisation of the home account; `aws:PrincipalOrgID` of its principals. */
export const ORGANIZATION = 'o-stopbath01';

export function organizationOf(account: string): string | null {
  return account === HOME_ACCOUNT ? ORGANIZATION : null;
}

/** The account's canonical user id, by which S3 names owners and grantees: 64 hexadecimal characters. */
export function canonicalUserId(account: string): string {
  return createHash('sha256').update(`canonical user of ${account}`).digest('hex');
}
