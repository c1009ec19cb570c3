import { GetFunctionConfigurationCommand, GetFunctionEventInvokeConfigCommand, GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { lambdaOf } from '../../aws/clients.ts';
import { plain } from '../../core/text.ts';
import { DEPLOY, look, Trouble, type Diagnosis } from './diagnosis.ts';
import type { Site } from './site.ts';

const CONFIGURE = 'change stopbath.config.json back, or deploy what it says: npm run package && npx osls deploy';
/** What the deployment says of itself: whoever asks now is somebody else. */
const OF_THE_DEPLOYMENT: ReadonlySet<string> = new Set(['STOPBATH_DEPLOYED_BY']);

/** Functions: there, able to run, with the settings that the file has, reachable by their URL alone, and heard where they fail. */
export async function diagnoseFunctions(site: Site): Promise<readonly Diagnosis[]> {
  const differing = new Map<string, { readonly text: string; readonly in: string[] }>();
  let unread = 0;
  const each = await Promise.all(site.functions.map((folder) => diagnoseFunction(folder)));
  return [...each, diagnoseSettings(), ...(await Promise.all(site.functions.flatMap((folder) => [...diagnoseUrl(folder), ...diagnoseFailures(folder)])))];

  async function diagnoseFunction(folder: string): Promise<Diagnosis> {
    return await look(`function ${folder}`, async () => {
      unread++;
      const { State, LastUpdateStatus, LastUpdateStatusReason, Environment } = await lambdaOf(site.clients).send(new GetFunctionConfigurationCommand({ FunctionName: `${site.name}-${folder}` }));
      if (State !== undefined && State !== 'Active' && State !== 'Inactive') throw new Trouble(`is ${State}`, DEPLOY);
      if (LastUpdateStatus === 'Failed') throw new Trouble(`its last update failed: ${LastUpdateStatusReason ?? 'without a reason'}`, DEPLOY);
      if (Environment?.Error) throw new Trouble(`its variables cannot be read: ${Environment.Error.Message ?? ''}`, 'let its role decrypt with the key that encrypts them, or take the key off');
      unread--;
      compare(folder, Environment?.Variables ?? {});
      return 'can run';
    });
  }

  function compare(folder: string, there: Readonly<Record<string, string>>): void {
    const wanted = expectedSettings(site, folder);
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(there).filter((key) => key.startsWith('STOPBATH_'))])) {
      if (OF_THE_DEPLOYMENT.has(name) || (there[name] ?? '') === (wanted[name] ?? '')) continue;
      const text = `${name} is ${shown(there[name])}, and the file says ${shown(wanted[name])}`;
      const entry = differing.get(text) ?? { text, in: [] };
      differing.set(text, entry);
      entry.in.push(folder);
    }
  }

  function diagnoseSettings(): Diagnosis {
    const what = 'settings as in the file';
    const seen = site.functions.length - unread;
    if (seen === 0) return { what, state: 'unknown', found: 'no function could be read', todo: '' };
    if (differing.size === 0) return { what, state: 'good', found: `${seen} functions have what stopbath.config.json says: mode cap ${site.config.modeCap}, ${site.config.responderRoles.length} responder roles`, todo: '' };
    const words = [...differing.values()].map(({ text, in: folders }) => `${text}${folders.length === seen ? '' : ` (in ${folders.join(', ')})`}`);
    return { what, state: 'bad', found: words.join('; '), todo: CONFIGURE };
  }

  function diagnoseUrl(folder: string): readonly Promise<Diagnosis>[] {
    if (!hasUrl(site, folder)) return [];
    return [
      look(`URL of ${folder}`, async () => {
        const { AuthType, FunctionUrl = '' } = await lambdaOf(site.clients).send(new GetFunctionUrlConfigCommand({ FunctionName: `${site.name}-${folder}` }));
        if (AuthType !== 'AWS_IAM') throw new Trouble(`asks for ${AuthType ?? 'no'} authentication: anybody may call it`, `aws lambda update-function-url-config --function-name ${site.name}-${folder} --auth-type AWS_IAM`);
        const variable = `STOPBATH_${folder.toUpperCase()}_URL`;
        const mine = process.env[variable] ?? '';
        if (mine !== '' && withoutSlash(mine) !== withoutSlash(FunctionUrl)) throw new Trouble(`is ${FunctionUrl}, and ${variable} is ${plain(mine, 200)}: your commands go elsewhere`, `export ${variable}=${FunctionUrl}`);
        return 'asks for IAM';
      }),
    ];
  }

  function diagnoseFailures(folder: string): readonly Promise<Diagnosis>[] {
    const wanted = failures.safeParse(site.stack.functions[folder]);
    if (!wanted.success) return [];
    const destination = site.arnOfFunction(wanted.data.destinations.onFailure);
    return [
      look(`failures of ${folder}`, async () => {
        const { DestinationConfig } = await lambdaOf(site.clients).send(new GetFunctionEventInvokeConfigCommand({ FunctionName: `${site.name}-${folder}` }));
        const there = DestinationConfig?.OnFailure?.Destination;
        if (there !== destination) throw new Trouble(`go to ${there ?? 'nobody'}, not to ${wanted.data.destinations.onFailure}: what fails for good is not on record`, DEPLOY);
        return `go to ${wanted.data.destinations.onFailure}`;
      }),
    ];
  }
}

const failures = z.looseObject({ destinations: z.looseObject({ onFailure: z.string() }) });
const entry = z.looseObject({ environment: z.record(z.string(), z.unknown()).default({}), url: z.unknown().optional() });
const variables = z.record(z.string(), z.coerce.string());

/** All variables that a function is deployed with. */
export function expectedSettings(site: Site, folder: string): Readonly<Record<string, string>> {
  const { environment } = entry.parse(site.stack.functions[folder]);
  return variables.parse(site.deployed({ ...site.stack.environment, ...environment }));
}

export function hasUrl({ stack }: Pick<Site, 'stack'>, folder: string): boolean {
  return entry.parse(stack.functions[folder]).url !== undefined;
}

function shown(value: string | undefined): string {
  return value === undefined ? 'not there' : value === '' ? 'empty' : plain(value, 80);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
