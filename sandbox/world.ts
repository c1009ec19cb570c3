import { randomUUID } from 'node:crypto';
import { accessDenied, authorizeByIdentity, nameOf } from './auth/authorize.ts';
import { contextOf } from './auth/context.ts';
import type { Directory, Role, User } from './auth/directory.ts';
import { evaluate } from './auth/evaluate.ts';
import type { Clock } from './clock.ts';
import { createFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import { AwsError } from './service.ts';
import type { Call, Caller, CallRecord, Decision, HttpRequest, HttpResponse, Need, Service, World } from './service.ts';

/** The world of the sandbox with what only its front door uses. */
export interface Room extends World {
  readonly directory: Directory;
  readonly services: ReadonlyMap<string, Service>;
  readonly calls: readonly CallRecord[];
  readonly faults: Faults;
  /** Run before every call: what somebody else does right then. */
  readonly interruptions: Interruption[];
  /** Runs every call, and may do something else instead; `null`: nothing is between. */
  around: Around | null;
  readonly register: (service: Service) => void;
  /** Runs one operation for a caller that is known: faults, authorisation, effect, record, on every way in. */
  readonly perform: (service: Service, operation: string, input: unknown, call: Call) => Promise<unknown>;
  /** The same for a request that is no API operation. */
  readonly serve: (service: Service, request: HttpRequest, call: Call) => Promise<HttpResponse>;
  readonly callOf: (caller: Caller, more: Partial<Call>) => Call;
}

export type Interruption = (service: string, operation: string, caller: Caller) => Promise<void>;

/** One call of an API on its way to its effect, and what makes that happen. */
export type Around = (call: { readonly service: string; readonly operation: string; readonly input: unknown; readonly caller: Caller }, run: () => Promise<unknown>) => Promise<unknown>;

export interface RoomOptions {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly account: string;
  readonly region: string;
  readonly endpoint: () => string;
  readonly propagationMs: number;
  readonly random: () => number;
}

const SESSION_MS = 3_600_000;

export function createRoom(options: RoomOptions): Room {
  const { clock, directory, account, region } = options;
  const services = new Map<string, Service>();
  const calls: CallRecord[] = [];
  const faults = createFaults();
  const interruptions: Interruption[] = [];

  const serviceOf = (name: string): Service => {
    const service = services.get(name);
    if (!service) throw new AwsError('NotImplemented', `The sandbox has no service '${name}'`, 501);
    return service;
  };

  /** A role's session for a service, where the role's trust policy lets that service in. */
  const session = (roleArn: string, sessionName: string, service: string, sourceArn = '') => {
    const role = roleOf(directory, roleArn);
    const caller: Caller = { kind: 'service', service, ...(sourceArn ? { sourceArn } : {}) };
    // What a service acts for says whose it is.
    const call = room.callOf(caller, sourceArn ? {} : { context: { 'aws:sourceaccount': account } });
    const need = { action: 'sts:AssumeRole', resource: roleArn };
    const decision = role && evaluate({ policies: [role.trust.policy], principal: caller, ...need, context: contextOf(call) });
    if (!role || decision !== 'allow') throw accessDenied(call, need, 'because no resource-based policy allows the sts:AssumeRole action');
    return directory.createSession(role, sessionName, clock.now() + SESSION_MS);
  };

  const record = async <T>(service: string, operation: string, call: Call, needs: readonly Need[], run: () => Promise<T>): Promise<T> => {
    const entry = {
      time: call.time,
      service,
      operation,
      caller: nameOf(call.caller),
      principalArn: 'principalArn' in call.caller ? call.caller.principalArn : null,
      needs,
    };
    try {
      for (const interrupt of interruptions) await interrupt(service, operation, call.caller);
      faults.before(service, operation, call.caller);
      const output = await run();
      faults.after(service, operation, call.caller);
      calls.push({ ...entry, status: 200, error: null });
      return output;
    } catch (error) {
      const known = asAwsError(error);
      calls.push({ ...entry, status: known.status, error: known.code });
      throw known;
    }
  };

  const room: Room = {
    clock,
    account,
    region,
    get endpoint() {
      return options.endpoint();
    },
    propagationMs: options.propagationMs,
    random: options.random,
    directory,
    services,
    calls,
    faults,
    interruptions,
    around: null,
    register: (service) => void services.set(service.name, service),
    callOf: (caller, more) => ({
      world: room,
      caller,
      requestId: randomUUID(),
      region,
      sourceIp: '127.0.0.1',
      time: clock.now(),
      authType: 'none',
      ...more,
      context: { ...directory.contextOf(caller), ...more.context },
    }),
    perform: (service, name, input, call) => {
      const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
      if (!operation) return Promise.reject(new AwsError('NotImplemented', `The sandbox does not serve ${service.name}:${name}`, 501));
      let needs: readonly Need[] = [];
      try {
        needs = operation.needs?.(input, call) ?? [];
      } catch (error) {
        return Promise.reject(asAwsError(error));
      }
      const run = async () => {
        if (service.authorize) service.authorize(name, input, call);
        else authorizeByIdentity(call, needs);
        return operation.run(input, call);
      };
      return record(service.name, name, call, needs, () => (room.around ? room.around({ service: service.name, operation: name, input, caller: call.caller }, run) : run()));
    },
    serve: (service, request, call) =>
      record(service.name, `${request.method} ${request.path}`, call, [], async () => {
        if (!service.http) throw new AwsError('NotImplemented', `${service.name} serves no plain requests`, 501);
        return service.http.handle(request, call);
      }),
    call: (service, operation, input, as, at = region) =>
      clock.work(async () => room.perform(serviceOf(service), operation, input, room.callOf(as, { region: at, ...(as.kind === 'service' ? {} : { authType: 'REST-HEADER' }) }))),
    assume: (...args) => session(...args).caller,
    credentials: (...args) => session(...args).credentials,
    emit: (event) => services.get('events')?.emit?.(event),
    idOf: (arn) => (roleOf(directory, arn) ?? userOf(directory, arn))?.id ?? null,
    identityDecision: (call, need) => {
      if (call.caller.kind === 'root') return 'allow';
      const context = { ...contextOf(call), ...need.context };
      const decisions = directory
        .policiesOf(call.caller)
        .map((policies): Decision => evaluate({ policies, action: need.action, resource: need.resource, context }));
      if (decisions.includes('deny')) return 'deny';
      return decisions.every((decision) => decision === 'allow') ? 'allow' : 'none';
    },
  };
  return room;
}

function userOf(directory: Directory, arn: string): User | undefined {
  const user = directory.users.find(arn.split(':')[4] ?? '', arn.split('/').at(-1) ?? '');
  return user?.arn === arn ? user : undefined;
}

function roleOf(directory: Directory, arn: string): Role | undefined {
  const [, , , , account = '', resource = ''] = arn.split(':');
  const role = directory.roles.find(account, resource.split('/').at(-1) ?? '');
  return role?.arn === arn ? role : undefined;
}

/** Whatever is no AWS error is a bug of the sandbox: a 500 that says which. */
function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const internal = new AwsError('InternalFailure', `The sandbox failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, 500);
  internal.cause = error;
  return internal;
}
