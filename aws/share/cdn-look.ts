import type { Tools } from '../function.ts';
import { distributionsOf, type CdnOrigin } from './distributions.ts';
import type { Reach, Seen, ShareContext } from './kind.ts';
import { askUrl, sampleOf, viewerUrl } from './outside.ts';

/**
 * Asks every distribution in front of a bucket for a picture, as a viewer with a signed URL. CloudFront asks for the key, the
 * time and the path of a URL and never when it was signed: one that is signed now stands for those handed out before.
 */
export async function lookAtCdn(reaches: readonly Reach[], tools: Tools): Promise<readonly Seen[]> {
  const looks = reaches.map(async (reach) => {
    const [sample, cdns] = await Promise.all([sampleOf(tools, reach), distributionsOf(tools, reach.bucket)]);
    if (!sample) return [];
    return await Promise.all(cdns.filter((cdn) => pathOf(cdn, sample.key) !== null).map((cdn) => ask(cdn, sample.key, tools)));
  });
  return (await Promise.all(looks)).flat();
}

/** The same before a change, so that the nearest cache holds what it has to lose. Its answers are nobody's business yet. */
export async function primeCdn(context: ShareContext, tools: Tools): Promise<void> {
  try {
    await lookAtCdn(context.reach, tools);
  } catch (error) {
    tools.log.warn(`no distribution could be asked before the change: ${error instanceof Error ? error.name : 'error'}`);
  }
}

async function ask(cdn: CdnOrigin, key: string, tools: Tools): Promise<Seen> {
  const what = `a CloudFront URL of ${cdn.id}`;
  const url = await viewerUrl(tools, cdn.id, pathOf(cdn, key) ?? '/');
  if (url === null) return { what: `${what} (shares.cdn.distributions does not say how to ask it)`, answer: 'unknown' };
  return { what, answer: await askUrl(url) };
}

/** Where a distribution serves a key; `null` where it lies outside its root. */
function pathOf({ originPath }: CdnOrigin, key: string): string | null {
  const root = originPath.replaceAll(/^\/+|\/+$/g, '');
  if (root !== '' && !key.startsWith(`${root}/`)) return null;
  return `/${(root === '' ? key : key.slice(root.length + 1)).split('/').map(encodeURIComponent).join('/')}`;
}
