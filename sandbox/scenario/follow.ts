import type { Account } from '../account.ts';
import type { Link, Shares } from '../photos/shares.ts';
import { startOutsider, type Outsider, type Probe } from './outsider.ts';
import type { TimelineLine } from './result.ts';
import type { Step } from './scenario.ts';

type LinkStep = Extract<Step, { share: string } | { fill: number } | { mint: string } | { end: string }>;

/** People who hold share links, and the URLs that these handed out when they were first opened; they fetch all of them, all through. */
export interface Followers {
  /** By who: `link album`, `presigned album`, `cloudfront album`. */
  readonly probes: () => ReadonlyMap<string, readonly Probe[]>;
  readonly play: (step: LinkStep) => Promise<void>;
  /** Ids of links, for inputs: `albumLink`. */
  readonly names: () => Readonly<Record<string, string>>;
  readonly ask: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface FollowOptions {
  readonly account: Account;
  readonly shares: Shares;
  readonly skips: boolean;
  readonly follows: readonly (keyof Shares['links'])[];
  readonly say: (who: string, text: string, tone: TimelineLine['tone']) => void;
}

export async function startFollowers({ account, shares, skips, follows, say }: FollowOptions): Promise<Followers> {
  const outsiders = new Map<string, Outsider>();
  const links = new Map<string, Link>(Object.entries(shares.links));

  const fetchAll = (who: string, url: string) => {
    const onChange = ({ status }: Probe) => say(who, status < 400 ? `is served (${status})` : `is refused (${status})`, status < 400 ? 'neutral' : 'good');
    outsiders.set(who, startOutsider({ clock: account.clock, skips, url, onChange }));
  };
  const follow = async (name: string, link: Link): Promise<void> => {
    links.set(name, link);
    const [picture] = (await shares.open(link.url)).pictures;
    const urls = [['link', link.url], ...(picture ? [['presigned', picture.original], ['cloudfront', picture.preview]] : [])] as const;
    for (const [kind, url] of urls) {
      if (kind === undefined || url === undefined) continue;
      fetchAll(`${kind} ${name}`, url);
    }
  };
  for (const name of follows) await follow(name, shares.links[name]);

  return {
    probes: () => new Map([...outsiders].map(([who, { probes }]) => [who, probes])),
    names: () => Object.fromEntries([...links].map(([name, { linkId }]) => [`${name}Link`, linkId])),
    play: async (step) => {
      if ('share' in step) {
        const link = await account.clock.work(() => shares.share({ album: step.album, ...(step.objectKey === undefined ? {} : { objectKey: step.objectKey }) }));
        say('owner', `shares ${step.objectKey ?? step.album} again: link ${step.share}`, 'neutral');
        return await follow(step.share, link);
      }
      if ('fill' in step) {
        await account.clock.work(() => shares.fill(step.fill, { album: step.album, ...(step.objectKey === undefined ? {} : { objectKey: step.objectKey }) }));
        return say('owner', `has shared ${step.objectKey ?? step.album} ${step.fill} times`, 'neutral');
      }
      if ('mint' in step) {
        const url = await account.clock.work(() => shares.mint(step.objectKey));
        say('attacker', `signs a URL of ${step.objectKey} in a session of photo-signer`, 'bad');
        return fetchAll(`presigned ${step.mint}`, url);
      }
      const { linkId } = links.get(step.end) ?? { linkId: step.end };
      await account.clock.work(() => shares.end(linkId));
      say('owner', `ends the link ${step.end}`, 'neutral');
    },
    ask: async () => {
      await Promise.all([...outsiders.values()].map((outsider) => outsider.ask()));
    },
    stop: async () => {
      await Promise.all([...outsiders.values()].map((outsider) => outsider.stop()));
    },
  };
}
