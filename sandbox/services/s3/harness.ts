import { S3Client } from '@aws-sdk/client-s3';
import { S3ControlClient } from '@aws-sdk/client-s3-control';
import { Agent } from 'node:http';
import { lookupLocalhost, s3ControlEndpoint } from '../../localhost.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox.ts';
import type { Credentials, Service, World } from '../../service.ts';
import { createS3, type S3 } from '../s3.ts';

/** A sandbox with S3 alone, for tests of S3. */
export interface Bench {
  readonly sandbox: Sandbox;
  readonly service: S3;
  readonly admin: S3Client;
  readonly foreign: S3Client;
  /** S3 Control, as the home account's administrator. */
  readonly control: S3ControlClient;
  readonly as: (credentials: Credentials) => S3Client;
  /** An unsigned request. */
  readonly anonymous: (path: string, init?: RequestInit) => Promise<Response>;
  readonly stop: () => Promise<void>;
}

export async function startBench(options: Omit<SandboxOptions, 'services'> = {}): Promise<Bench> {
  const services: S3[] = [];
  const make = (world: World): readonly Service[] => {
    const s3 = createS3(world);
    services.push(s3);
    return [s3, s3.control];
  };
  const sandbox = await startSandbox({ ...options, services: make });
  const [service] = services;
  if (!service) throw new Error('the sandbox made no S3');
  const clients: S3Client[] = [];
  const as = (credentials: Credentials): S3Client => {
    // Two attempts: the first one after skipped time tells the client what time it is.
    const client = new S3Client({ endpoint: sandbox.endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 2, credentials });
    clients.push(client);
    return client;
  };
  const control = controlOf(sandbox, sandbox.admin);
  return {
    sandbox,
    service,
    as,
    admin: as(sandbox.admin),
    control,
    foreign: as(sandbox.foreign.admin),
    anonymous: (path, init) => fetch(sandbox.endpoint + path, init),
    stop: async () => {
      for (const client of [...clients, control]) client.destroy();
      await sandbox.stop();
    },
  };
}

/** A client of S3 Control that finds names below `localhost` on every machine. */
export function controlOf(sandbox: Pick<Sandbox, 'endpoint'>, credentials: Credentials): S3ControlClient {
  return new S3ControlClient({ endpoint: s3ControlEndpoint(sandbox.endpoint), region: 'us-east-1', maxAttempts: 2, credentials, requestHandler: { httpAgent: new Agent({ lookup: lookupLocalhost, keepAlive: true }) } });
}

/** What a call was refused with, as a client reads it: `403 AccessDenied`; `ok` where it was not. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (!(error instanceof Error) || !('$metadata' in error)) throw error;
    const { $metadata } = error as { readonly $metadata: { readonly httpStatusCode?: number } };
    return `${$metadata.httpStatusCode} ${error.name}`;
  }
}

export async function messageOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('the call was not refused');
}

