import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { z } from 'zod';
import { createClients, type Clients } from './clients.ts';
import { classified } from './errors.ts';
import { readSettings, type Settings } from './settings.ts';

/** What a function's code gets beside its input. */
export interface Tools {
  readonly settings: Settings;
  readonly clients: Clients;
  readonly log: Logger;
  /** ISO 8601 UTC with milliseconds. */
  readonly now: () => string;
  /** Until Lambda ends this invocation, ms. */
  readonly remainingMs: () => number;
}

export interface FunctionSpec<Input, Output> {
  /** The folder's name: what errors and logs call it. */
  readonly name: string;
  readonly input: z.ZodType<Input>;
  readonly run: (input: Input, tools: Tools) => Promise<Output>;
}

/** An input that is not what the function takes: the workflow or the caller is wrong, a retry would not help. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/**
 * The one middleware stack: parse the input, give the code its clients and a logger that carries the incident,
 * and name failures so that workflows can tell them apart. Clients and settings are made at the first call, not
 * at import, and kept for the next.
 */
export function defineFunction<Input, Output>(spec: FunctionSpec<Input, Output>): (event: unknown, context: Context) => Promise<Output> {
  let made: Omit<Tools, 'log' | 'remainingMs'> | undefined;
  const logger = new Logger({ serviceName: spec.name });

  const tools = (input: unknown, context: Context): Tools => {
    made ??= prepare();
    const log = logger.createChild({ persistentKeys: { incident: incidentOf(input), requestId: context.awsRequestId ?? randomUUID() } });
    return { ...made, log, remainingMs: () => context.getRemainingTimeInMillis() };
  };

  return middy<unknown, Output, Error, Context>()
    .onError((request) => {
      const error = classified(request.error, spec.name);
      if (error instanceof Error) logger.error(`${error.name}: ${error.message}`, { incident: incidentOf(request.event) });
      throw error;
    })
    .handler(async (event, context) => {
      const input = parse(spec, event);
      return await spec.run(input, tools(input, context));
    });
}

function prepare(): Omit<Tools, 'log' | 'remainingMs'> {
  const settings = readSettings(process.env);
  return { settings, clients: createClients(settings.AWS_REGION), now: () => new Date().toISOString() };
}

function parse<Input>(spec: { readonly name: string; readonly input: z.ZodType<Input> }, event: unknown): Input {
  const read = spec.input.safeParse(event);
  if (read.success) return read.data;
  throw new InputError(`${spec.name}: ${z.prettifyError(read.error)}`);
}

function incidentOf(input: unknown): string | null {
  return typeof input === 'object' && input !== null && 'incident' in input && typeof input.incident === 'string' ? input.incident : null;
}
