import type { Surface } from './surface.ts';
import { cli } from './surfaces/cli.ts';
import { events, findings, records } from './surfaces/events.ts';
import { acls, config, policies } from './surfaces/settings.ts';
import { share } from './surfaces/share.ts';
import { urls } from './surfaces/urls.ts';
import { wire } from './surfaces/wire.ts';

/** Where bad input comes in. The last ones need a sandbox, and take most of the time. */
export const SURFACES: readonly Surface[] = [events, findings, records, policies, acls, share, config, cli, wire, urls];
