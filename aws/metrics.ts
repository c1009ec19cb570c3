import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Tools } from './function.ts';

/** The suite's own numbers, which `deploy/alarms.ts` watches. */
export type MetricName = 'Outcomes' | 'UnverifiedOutcomes' | 'FailedOutcomes' | 'BudgetReached' | 'GuardPaused' | 'Suppressions' | 'StuckExecutions' | 'MissedEvents' | 'ReconcileBehind' | 'ForeignRecords' | 'SecondsToVerified';

/**
 * Writes numbers into the function's log in CloudWatch's embedded format: over all, and by what they are of where that is given.
 *
 * @param of - `{ playbook: 'quarantine-bucket' }`
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function measure({ settings }: Pick<Tools, 'settings'>, numbers: Partial<Readonly<Record<MetricName, number>>>, of: Readonly<Record<string, string>> = {}): void {
  const metrics = new Metrics({ namespace: 'Stopbath', serviceName: settings.STOPBATH_NAME });
  if (Object.keys(of).length > 0) metrics.addDimensions({}).addDimensions({ ...of });
  for (const [name, value] of Object.entries(numbers)) metrics.addMetric(name, name.startsWith('Seconds') ? MetricUnit.Seconds : MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}
