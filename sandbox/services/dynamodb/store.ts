import { createRequire } from 'node:module';
import type { DocumentType } from '@smithy/types';
import { AwsError } from '../../service.ts';

export type Data = Record<string, DocumentType>;

/** dynalite's own store; only it looks inside, and `transaction.ts`. */
export interface Store {
  readonly tableDb: { awsAccountId: string; awsRegion: string };
  getTable(name: string, reply: Reply<Data>): void;
  getItemDb(name: string): ItemDb;
  /** Ours: names of tables that cannot be deleted, and of those with point-in-time recovery. */
  protectedTables: Set<string>;
  recoverable: Set<string>;
  /** Ours: tokens of transactions that were made, the oldest first, with what each asked for and until when it counts, ms. */
  tokens: Map<string, { readonly digest: string; readonly until: number }>;
}

/** A table's items by dynalite's own keys. Every write of one item holds its key's lock from its condition on. */
export interface ItemDb {
  lock(keys: readonly string[], run: (releasing: (then: () => void) => () => void) => void): void;
  get(key: string, reply: Reply<Data>): void;
  batch(operations: readonly { readonly type: 'put'; readonly key: string; readonly value: Data }[], reply: Reply<void>): void;
}

export type Reply<T> = (error: unknown, output?: T) => void;

interface Action {
  (store: Store, data: Data, reply: Reply<Data>): void;
}

const require = createRequire(import.meta.url);
export const load = <T>(file: string): T => require(`dynalite/${file}`);

export function createStore(account: string, region: string): Store {
  const db = load<{ create(options: object): Store }>('db/index.js');
  const store = db.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  store.tableDb.awsAccountId = account;
  store.tableDb.awsRegion = region;
  store.protectedTables = new Set();
  store.recoverable = new Set();
  store.tokens = new Map();
  return store;
}

/**
 * @throws {AwsError} DynamoDB's own, with the code after the `#` of its type
 */
export async function reply(store: Store, name: string, data: Data): Promise<Data | undefined> {
  const checked = validated(store, name, data);
  return await answer<Data>((answered) => load<Action>(`actions/${fileOf(name)}.js`)(store, checked, answered));
}

/**
 * A request as dynalite's actions take it, its expressions parsed.
 *
 * @throws {AwsError} DynamoDB's own
 */
export function validated(store: Store, name: string, data: Data): Data {
  const validations = load<Validations>('validations/index.js');
  const { types, custom } = load<{ types: object; custom: unknown }>(`validations/${fileOf(name)}.js`);
  try {
    const checked = validations.checkTypes(data, types);
    validations.checkValidations(checked, types, custom, store);
    return checked;
  } catch (error) {
    throw asAwsError(error);
  }
}

/** What dynalite answers to a callback. @throws {AwsError} DynamoDB's own */
export async function answer<T>(ask: (answered: Reply<T>) => void): Promise<T | undefined> {
  try {
    return await new Promise<T | undefined>((resolve, reject) => ask((error, output) => (error ? reject(error) : resolve(output))));
  } catch (error) {
    throw asAwsError(error);
  }
}

interface Validations {
  checkTypes(data: Data, types: object): Data;
  checkValidations(data: Data, types: object, custom: unknown, store: Store): void;
}

function fileOf(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** dynalite throws errors that carry a status and a body. */
export function asAwsError(error: unknown): unknown {
  if (!isRecord(error) || !isRecord(error['body'])) return error;
  const { __type: type, message, Message } = error['body'];
  return new AwsError(text(type).split('#').at(-1) ?? '', text(message) || text(Message), Number(error['statusCode'] ?? 400));
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function isRecord(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
