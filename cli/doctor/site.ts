import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { z } from 'zod';
import { createClients, type Clients } from '../../aws/clients.ts';
import type { Config } from '../../deploy/config.ts';
import { evaluate, type Attributes } from '../../deploy/evaluate.ts';
import { functionLogicalId, type Resource } from '../../deploy/names.ts';
import { foldersOf, type Stack } from '../../deploy/stack.ts';

/** An installation, as it should be and as it can be asked. */
export interface Site {
  /** `stopbath-prod`: what every name begins with. */
  readonly name: string;
  readonly region: string;
  readonly account: string;
  /** What the files say. */
  readonly config: Config;
  readonly stack: Stack;
  readonly functions: readonly string[];
  readonly playbooks: readonly string[];
  readonly clients: Clients & { readonly events: EventBridgeClient };
  /** A value of the template as it is deployed: with names, account and region put in. */
  readonly deployed: (value: unknown) => unknown;
  readonly arnOfFunction: (folder: string) => string;
}

export const ROOT = join(import.meta.dirname, '../..');

/** @param sealKeys - ARNs of the keys, oldest first: the only names that AWS makes up */
export function siteOf({ name, region, account, stack }: Pick<Site, 'name' | 'region' | 'account' | 'stack'>, sealKeys: readonly string[]): Site {
  const [functions, playbooks] = [foldersOf(join(ROOT, 'functions')), foldersOf(join(ROOT, 'workflows'))];
  const arnOfFunction = (folder: string) => `arn:aws:lambda:${region}:${account}:function:${name}-${folder}`;
  const queue = (queueName: string): Attributes => ({ ref: `https://sqs.${region}.amazonaws.com/${account}/${queueName}`, attributes: { Arn: `arn:aws:sqs:${region}:${account}:${queueName}`, QueueName: queueName } });
  const evidence = `${name}-evidence-${account}`;
  const attributesOf = ({ RoleName, LogGroupName = '' }: z.infer<typeof named>): Attributes =>
    RoleName === undefined ? { ref: LogGroupName, attributes: { Arn: `arn:aws:logs:${region}:${account}:log-group:${LogGroupName}:*` } } : { ref: RoleName, attributes: { Arn: `arn:aws:iam::${account}:role/${RoleName}` } };
  const attributes: readonly (readonly [string, Attributes])[] = [
    ...functions.map((folder): [string, Attributes] => [functionLogicalId(folder), { ref: `${name}-${folder}`, attributes: { Arn: arnOfFunction(folder) } }]),
    ...Object.entries(resourcesOf({ stack })).flatMap(([id, { Properties }]): [string, Attributes][] => {
      const known = named.safeParse(JSON.parse(resolved(Properties, name, stack)));
      return known.success ? [[id, attributesOf(known.data)]] : [];
    }),
    ['Table', { ref: name, attributes: { Arn: `arn:aws:dynamodb:${region}:${account}:table/${name}` } }],
    ['EvidenceBucket', { ref: evidence, attributes: { Arn: `arn:aws:s3:::${evidence}` } }],
    ['UndeliveredEvents', queue(`${name}-undelivered-events`)],
    ['UndeliveredTickets', queue(`${name}-undelivered-tickets`)],
    ...sealKeys.map((arn, index): [string, Attributes] => [`SealKey${index + 1}`, { ref: arn.split('/').at(-1) ?? '', attributes: { Arn: arn } }]),
  ];
  const scope = { account, region, resources: new Map(attributes) };
  return {
    name, region, account, config: stack.config, stack, functions, playbooks, arnOfFunction,
    clients: Object.assign(createClients(region), { events: new EventBridgeClient({ region, maxAttempts: 4 }) }),
    deployed: (value) => evaluate(JSON.parse(resolved(value, name, stack)), scope),
  };
}

/** The variables that serverless.yml has in its parts: the name, and what the stack says of itself. */
function resolved(value: unknown, name: string, stack: Stack): string {
  return JSON.stringify(value)
    .replaceAll('${self:custom.name}', name)
    .replaceAll(/\$\{file\(deploy\/stack\.cjs\):([\w.]+)\}/g, (_, path: string) => String(path.split('.').reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined), stack)));
}

/** Resources whose names the files choose, and to which others refer. */
const named = z.union([z.looseObject({ RoleName: z.string(), LogGroupName: z.undefined().optional() }), z.looseObject({ LogGroupName: z.string(), RoleName: z.undefined().optional() })]);

/** All resources of the template that the files make, by logical id. */
export function resourcesOf({ stack }: Pick<Site, 'stack'>): Readonly<Record<string, Resource>> {
  return Object.assign({}, ...[stack.rules, stack.recording, stack.roles, ...Object.values(stack.playbooks)].map(({ Resources }) => Resources));
}
