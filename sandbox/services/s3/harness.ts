import { S3Client } from '@aws-sdk/client-s3';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox.ts';
import type { Credentials, World } from '../../service.ts';
import { createS3, type S3 } from '../s3.ts';

/** A sandbox with S3 alone, for tests of S3. */
export interface Bench {
  readonly sandbox: Sandbox;
  readonly service: S3;
  readonly admin: S3Client;
  readonly foreign: S3Client;
  readonly as: (credentials: Credentials) => S3Client;
  /** An unsigned request. */
  readonly anonymous: (path: string, init?: RequestInit) => Promise<Response>;
  readonly stop: () => Promise<void>;
}

export async function startBench(options: Omit<SandboxOptions, 'services'> = {}): Promise<Bench> {
  const services: S3[] = [];
  const make = (world: World): readonly S3[] => {
    services.push(createS3(world));
    return services;
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
  return {
    sandbox,
    service,
    as,
    admin: as(sandbox.admin),
    foreign: as(sandbox.foreign.admin),
    anonymous: (path, init) => fetch(sandbox.endpoint + path, init),
    stop: async () => {
      for (const client of clients) client.destroy();
      await sandbox.stop();
    },
  };
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

