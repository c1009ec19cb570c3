import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * Where S3 Control answers: its clients put the account before the host name, so that a number cannot stand there.
 *
 * @param endpoint - `http://127.0.0.1:4566`
 * @returns `http://s3-control.localhost:4566`, which becomes `http://111122223333.s3-control.localhost:4566`
 */
export function s3ControlEndpoint(endpoint: string): string {
  return endpoint.replace('//127.0.0.1', '//s3-control.localhost');
}

const lookup = dns.lookup;

/**
 * Resolves names below `localhost` to this machine, as resolvers should and Node's does not everywhere.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6761#section-6.3
 */
export const lookupLocalhost: LookupFunction = (hostname, options, callback) => {
  if (!hostname.endsWith('.localhost')) return lookup(hostname, options, callback);
  const address = { address: '127.0.0.1', family: 4 };
  // As with the real one, never before the caller has gone on.
  process.nextTick(() => (options.all ? callback(null, [address]) : callback(null, address.address, address.family)));
};

/** For code that connects as it likes: from now on this thread finds names below `localhost`. */
export function resolveLocalhost(): void {
  Object.assign(dns, { lookup: lookupLocalhost });
}
