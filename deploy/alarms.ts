import type { Config } from './config.ts';
import { type Intrinsic, NAME, pascalOf, type Resource, type Template, workflowArn } from './names.ts';

/** Where the suite's own numbers are: `aws/metrics.ts` writes them. */
export const NAMESPACE = 'Stopbath';

/**
 * An alarm for everything that nobody may miss. Each says what happened and what to do; all are published to the configured topic.
 *
 * @param playbooks - names
 */
export function alarmsTemplate(config: Config, playbooks: readonly string[]): Template {
  const alarm = (name: string, AlarmDescription: string, when: Watched): Readonly<Record<string, Resource>> => ({
    [`${pascalOf(name)}Alarm`]: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `${NAME}-${name}`,
        AlarmDescription,
        // One over several metrics has these beside each of them.
        ...('Metrics' in when ? {} : { Statistic: 'Sum', Period: 60 }),
        EvaluationPeriods: 1,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
        ...(config.alarmTopic === null ? {} : { AlarmActions: [config.alarmTopic], OKActions: [config.alarmTopic] }),
        ...when,
      },
    },
  });
  const seal = config.sealEveryMinutes * 60;
  return {
    Resources: {
      ...alarm('undelivered-events', 'An event did not arrive, or could not be decided. stopbath redrive events sends what lies in the queue again.', queue('UndeliveredEvents')),
      ...alarm('undelivered-tickets', 'A ticket was given up. stopbath show says why; stopbath redrive tickets sends what lies in the queue again.', queue('UndeliveredTickets')),
      ...alarm('triage-errors', 'Triage failed on an event. After three attempts the event is on record as undecided, and in the queue of undelivered events.', lambda('triage', 'Errors')),
      ...alarm('triage-urgent-errors', 'Triage failed on a severe finding. After three attempts it is on record as undecided, and in the queue of undelivered events.', lambda('triage-urgent', 'Errors')),
      ...alarm('events-behind', 'Events wait for longer than ten minutes to be decided: there are more than eventsAtOnce allows. Severe findings have places of their own.', waits('triage', 600_000)),
      ...alarm('urgent-events-behind', 'Severe findings wait for longer than five minutes to be decided: there are more than urgentEventsAtOnce allows.', waits('triage-urgent', 300_000)),
      ...alarm('dead-letter-errors', 'What records events that could not be decided failed itself: look at its log.', lambda('dead-letter', 'Errors')),
      ...alarm('reconcile-errors', 'Nobody looks for what EventBridge missed: the function reconcile fails. Its log says why.', { ...lambda('reconcile', 'Errors'), Period: 3600, Threshold: 2 }),
      ...alarm('missed-events', 'EventBridge did not deliver an event; the reconciler found it, and triage has it now. The log of reconcile names it.', own('MissedEvents')),
      ...alarm('reconcile-behind', 'The reconciler could not look at everything in an hour: it goes on from where it was. Its log says what.', { ...own('ReconcileBehind'), Period: 900, EvaluationPeriods: 4 }),
      ...alarm('lease-errors', 'Nobody is reminded of containments whose time is running out: the function lease fails. Its log says why.', { ...lambda('lease', 'Errors'), Period: 900 }),
      ...alarm('archive-errors', 'Archiving failed. The next sweep tries again.', { ...lambda('archive', 'Errors'), Period: 300 }),
      ...alarm('seal-errors', 'Sealing failed: what came on record is not sealed yet. stopbath verify says since when.', { ...lambda('seal', 'Errors'), Period: seal }),
      // Two periods without a run. Of a seal: the next one is overdue (a seal says when the next one is due, and says the same).
      ...alarm('late-seal', 'Nothing was sealed for two periods: the schedule does not run.', silent(lambda('seal', 'Invocations'), seal)),
      // Whoever disables a rule of triage's disables this as well, and it writes the numbers of four other alarms.
      ...alarm('late-reconcile', 'Nobody has looked for half an hour for what EventBridge missed: the schedule does not run. Look whether rules were disabled.', silent(lambda('reconcile', 'Invocations'), 900)),
      ...alarm('late-lease', 'Nobody has looked for half an hour after containments whose time is running out: the schedule does not run.', silent(lambda('lease', 'Invocations'), 900)),
      // The end of each execution invokes archive, too: what it is to find by itself shows in its rule alone.
      ...alarm('late-archive', 'Nobody has looked for two periods for decisions and changes that are not on record yet: the schedule does not run.', silent(rule('sweep'), seal)),
      ...alarm('foreign-records', 'Something lies in the place of a record that the suite did not write. The log of seal names it; stopbath verify shows it.', own('ForeignRecords')),
      ...alarm('unverified', 'An outcome is unverified: something was changed, and it is not proven that it holds. stopbath history --status unverified lists them.', own('UnverifiedOutcomes')),
      ...alarm('failed-outcomes', 'A playbook ended as failed. stopbath history --status failed lists them with the reason.', own('FailedOutcomes')),
      ...alarm('budget-reached', 'More is asked for than may be contained in an hour: what comes now waits for an approval. stopbath waiting shows it.', own('BudgetReached')),
      ...alarm('suppression-made', 'A responder accepted an exposure: what it covers opens no incident any more. stopbath suppressions shows which, by whom and until when.', own('Suppressions')),
      ...alarm('guard-paused', 'The kill switch is on: nothing is contained. stopbath resume ends that.', { ...own('GuardPaused'), Statistic: 'Maximum', Period: 900 }),
      ...alarm('stuck-executions', 'An execution runs longer than any approval stands. The log of reconcile names it.', { ...own('StuckExecutions'), Statistic: 'Maximum', Period: 900 }),
      ...Object.assign(
        {},
        ...playbooks.map((name) =>
          alarm(`${name}-executions`, `An execution of ${name} failed, timed out or was aborted, which the workflow should have caught. stopbath history --status failed, and the execution's history in Step Functions.`, {
            Metrics: [
              { Id: 'ended', Expression: 'failed + timedOut + aborted', Label: 'executions that did not end by themselves', ReturnData: true },
              ...(['failed', 'timedOut', 'aborted'] as const).map((how) => ({
                Id: how,
                ReturnData: false,
                MetricStat: {
                  Metric: { Namespace: 'AWS/States', MetricName: `Executions${pascalOf(how.replace('O', '-o'))}`, Dimensions: [{ Name: 'StateMachineArn', Value: workflowArn(name) }] },
                  Period: 300,
                  Stat: 'Sum',
                },
              })),
            ],
          }),
        ),
      ),
    },
  };
}

interface Watched {
  readonly [property: string]: unknown;
}

function queue(id: string): Watched {
  const QueueName: Intrinsic = { 'Fn::GetAtt': [id, 'QueueName'] };
  return { Namespace: 'AWS/SQS', MetricName: 'ApproximateNumberOfMessagesVisible', Dimensions: [{ Name: 'QueueName', Value: QueueName }], Statistic: 'Maximum' };
}

function lambda(name: string, MetricName: 'Errors' | 'Invocations' | 'AsyncEventAge'): Watched {
  return { Namespace: 'AWS/Lambda', MetricName, Dimensions: [{ Name: 'FunctionName', Value: `${NAME}-${name}` }] };
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html */
function rule(name: string): Watched {
  return { Namespace: 'AWS/Events', MetricName: 'Invocations', Dimensions: [{ Name: 'RuleName', Value: `${NAME}-${name}` }] };
}

/** What a schedule does every `Period` seconds was not done, twice. */
function silent(done: Watched, Period: number): Watched {
  return { ...done, Period, EvaluationPeriods: 2, Threshold: 1, ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' };
}

/** How old an event is when its function begins with it, ms; what failed is tried again within three minutes. @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html (AsyncEventAge) */
function waits(name: string, Threshold: number): Watched {
  return { ...lambda(name, 'AsyncEventAge'), Statistic: 'Maximum', Threshold };
}

/** The suite's own, over all playbooks. */
function own(MetricName: string): Watched {
  return { Namespace: NAMESPACE, MetricName, Dimensions: [{ Name: 'service', Value: NAME }] };
}
