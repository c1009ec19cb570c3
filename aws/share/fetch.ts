import type { Answer } from '../../core/quarantine/look.ts';

/** In place of a link's secret, which Stopbath never has. */
const NO_SECRET = 'stopbath-probe';
const TIMEOUT_MS = 5000;

/**
 * Asks the share service for a link as anybody on the internet could: a dead link is 410 before its secret is looked at, a link
 * that works is 403 for the wrong one.
 *
 * @param endpoint - with its slash: `https://photos.example/s/`
 * @see docs/share-links.md
 */
export async function fetchShareLink(endpoint: string, linkId: string): Promise<Answer> {
  try {
    const { status } = await fetch(`${endpoint}${encodeURIComponent(linkId)}.${NO_SECRET}`, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (status === 410 || status === 404) return 'refused';
    return status === 403 || status === 200 ? 'served' : 'unknown';
  } catch {
    return 'unknown';
  }
}
