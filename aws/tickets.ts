import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TicketState } from '../core/incident.ts';
import { newTicket, type Ticket } from '../core/ticket/lifecycle.ts';
import { partitionOf } from './partitions.ts';
import { putNew, query, succeeded, update, type Table } from './records.ts';

/**
 * Tickets in the table, one item an incident and tracker. Several executions may want to write the same one: whoever holds it
 * writes, and sees before it lets go whether somebody has asked since.
 */
const keyOf = (incident: string, tracker: string) => ({ pk: partitionOf('INCIDENT', incident), sk: `TICKET#${tracker}` });

/** Asks for a ticket to be brought up to date: made where there is none, and counted where there is. */
export async function askForTicket(table: Table, ticket: Pick<Ticket, 'incident' | 'tracker' | 'kind' | 'mark'>, at: string): Promise<void> {
  const key = keyOf(ticket.incident, ticket.tracker);
  await putNew(table, { ...key, wanted: 0, json: JSON.stringify(newTicket(ticket.incident, ticket.tracker, ticket.kind, at, ticket.mark)) });
  await table.clients.dynamo.send(new UpdateCommand({ TableName: table.settings.STOPBATH_TABLE, Key: key, UpdateExpression: 'ADD wanted :one', ExpressionAttributeValues: { ':one': 1 } }));
}

/** A ticket that is held, and how often it had been asked for when it was taken. */
export interface Held {
  readonly ticket: Ticket;
  readonly wanted: number;
  /** Whoever held it last has done all that was asked for. */
  readonly satisfied: boolean;
}

/**
 * Takes a ticket, or goes on holding it.
 *
 * @param until - when others may take it whatever became of the holder, ISO 8601
 * @returns `null` where somebody else holds it
 */
export async function holdTicket(table: Table, incident: string, tracker: string, owner: string, now: string, until: string): Promise<Held | null> {
  try {
    const { Attributes = {} } = await table.clients.dynamo.send(
      new UpdateCommand({
        TableName: table.settings.STOPBATH_TABLE,
        Key: keyOf(incident, tracker),
        UpdateExpression: 'SET heldBy = :owner, heldUntil = :until',
        ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(heldUntil) OR heldUntil < :now OR heldBy = :owner)',
        ExpressionAttributeValues: { ':owner': owner, ':until': until, ':now': now },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return { ticket: JSON.parse(String(Attributes['json'])) as Ticket, wanted: Number(Attributes['wanted']), satisfied: Attributes['wanted'] === Attributes['satisfied'] };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return null;
    throw error;
  }
}

/** @returns false where somebody else has taken it meanwhile: what they know is newer */
export async function saveTicket(table: Table, ticket: Ticket, owner: string, until?: string): Promise<boolean> {
  const { incident, tracker } = ticket;
  return await update(table, keyOf(incident, tracker), { json: JSON.stringify(ticket), heldUntil: until }, { expression: 'heldBy = :owner', values: { ':owner': owner } });
}

/** @returns false where it was asked for again since it was taken: go on */
export async function letTicketGo(table: Table, { ticket, wanted }: Pick<Held, 'ticket' | 'wanted'>, owner: string): Promise<boolean> {
  return await succeeded(
    table.clients.dynamo.send(
      new UpdateCommand({
        TableName: table.settings.STOPBATH_TABLE,
        Key: keyOf(ticket.incident, ticket.tracker),
        UpdateExpression: 'SET satisfied = :wanted REMOVE heldBy, heldUntil',
        ConditionExpression: 'wanted = :wanted AND heldBy = :owner',
        ExpressionAttributeValues: { ':wanted': wanted, ':owner': owner },
      }),
    ),
  );
}

export async function ticketsOf(table: Table, incident: string): Promise<readonly Ticket[]> {
  return (await query(table, partitionOf('INCIDENT', incident), 'TICKET#')).map((item) => JSON.parse(String(item['json'])) as Ticket);
}

/**
 * Makes way for a person who sends an incident's tickets again: whoever only waits for the next try is not waited for, and what is
 * gone in its tracker may be opened anew (under a mark of its own).
 */
export async function freeTickets(table: Table, incident: string, at: string, mark: () => string): Promise<void> {
  const tickets = await ticketsOf(table, incident);
  await Promise.all(
    tickets.map(async (ticket) => {
      const key = keyOf(incident, ticket.tracker);
      if (ticket.state === 'gone') await update(table, key, { json: JSON.stringify(newTicket(incident, ticket.tracker, ticket.kind, at, mark())) });
      if (ticket.nextAt !== null && ticket.nextAt > at) await update(table, key, { heldUntil: at });
    }),
  );
}

/** Says on the incident itself how its ticket in one tracker stands: what lists and `show` read. */
export async function sayTicketState(table: Table, incident: string, tracker: string, state: TicketState): Promise<void> {
  const at = { TableName: table.settings.STOPBATH_TABLE, Key: { pk: partitionOf('INCIDENT', incident), sk: 'META' }, ConditionExpression: 'attribute_exists(pk)' };
  await table.clients.dynamo.send(new UpdateCommand({ ...at, UpdateExpression: 'SET tickets = if_not_exists(tickets, :none)', ExpressionAttributeValues: { ':none': {} } }));
  await table.clients.dynamo.send(
    new UpdateCommand({ ...at, UpdateExpression: 'SET tickets.#tracker = :state', ExpressionAttributeNames: { '#tracker': tracker }, ExpressionAttributeValues: { ':state': state } }),
  );
}
