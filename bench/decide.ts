/** How many mixed events `decide` takes a minute, on one core, from text to decision. */
import { loadPlaybooks } from '../aws/playbooks.ts';
import { type Verdict, decide } from '../core/decide.ts';

const EVENTS = 100_000;
const WANTED_PER_MINUTE = 100_000;
const WANTED_MEGABYTES = 200;

export interface Decided {
  readonly events: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** Of one core. */
  readonly perMinute: number;
  readonly slowestMs: number;
  /** The most memory that the process ever had. */
  readonly megabytes: number;
}

export async function measureDecide(events = EVENTS): Promise<Decided> {
  const playbooks = await loadPlaybooks(`${import.meta.dirname}/..`);
  const options = { playbooks, receivedAt: '2026-01-01T00:00:00.000Z', own: { prefix: 'stopbath-dev' } };
  const counts = new Map<Verdict, number>();
  const cpu = process.cpuUsage();
  let slowestMs = 0;
  for (let index = 0; index < events; index++) {
    const text = eventText(index);
    const start = performance.now();
    const { decision } = decide(JSON.parse(text), options);
    slowestMs = Math.max(slowestMs, performance.now() - start);
    counts.set(decision, (counts.get(decision) ?? 0) + 1);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { events, verdicts: Object.fromEntries(counts), perMinute: Math.round(events / ((user + system) / 60_000_000)), slowestMs, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) };
}

/**
 * @param args - `--json`
 * @returns whether it was fast and small enough
 */
export async function run(args: readonly string[]): Promise<boolean> {
  const decided = await measureDecide();
  const { events, verdicts, perMinute, slowestMs, megabytes } = decided;
  if (args.includes('--json')) console.log(JSON.stringify(decided, null, 2));
  else {
    console.log(`${events.toLocaleString('en')} events: ${Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`);
    console.log(`${perMinute.toLocaleString('en')} events a minute of one core (wanted: ${WANTED_PER_MINUTE.toLocaleString('en')}); slowest ${slowestMs.toFixed(1)} ms`);
    console.log(`${megabytes} MB at most (wanted: under ${WANTED_MEGABYTES})`);
  }
  return perMinute >= WANTED_PER_MINUTE && megabytes < WANTED_MEGABYTES;
}

/** Mostly what nobody acts on, as in a real account; some of everything else, findings with many buckets included. */
function eventText(index: number): string {
  const account = '111122223333';
  const common = { eventVersion: '1.11', eventID: `event-${index}`, eventTime: '2026-01-01T00:00:00Z', awsRegion: 'us-east-1', recipientAccountId: account, sourceIPAddress: '203.0.113.9', eventType: 'AwsApiCall', userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/u${index % 50}`, accountId: account, accessKeyId: 'AKIAEXAMPLE' } };
  const s3 = { ...common, eventSource: 's3.amazonaws.com' };
  const bucketName = `photos-${index % 500}`;
  const statement = { Effect: 'Allow', Principal: '*', Action: ['s3:GetObject', 's3:ListBucket'], Resource: [`arn:aws:s3:::${bucketName}`, `arn:aws:s3:::${bucketName}/*`] };
  const finding = (type: string, buckets: number): object => ({
    version: '0', id: `delivery-${index}`, source: 'aws.guardduty', 'detail-type': 'GuardDuty Finding', account, region: 'us-east-1', time: '2026-01-01T00:00:00Z', resources: [],
    detail: { schemaVersion: '2.0', id: `finding-${index}`, type, severity: 8, accountId: account, region: 'us-east-1', partition: 'aws', updatedAt: '2026-01-01T00:00:00.000Z', service: { count: 1, archived: false, additionalInfo: {} }, resource: { resourceType: 'AccessKey', accessKeyDetails: { accessKeyId: 'AKIAEXAMPLE', userName: 'mallory', userType: 'IAMUser' }, s3BucketDetails: [...Array(buckets).keys()].map((bucket) => ({ name: `${bucketName}-${bucket}`, publicAccess: { effectivePermission: 'PUBLIC' } })) } },
  });
  switch (index % 20) {
    case 0:
      return JSON.stringify({ ...s3, eventName: 'PutBucketPolicy', requestParameters: { bucketName, bucketPolicy: { Version: '2012-10-17', Statement: Array(10).fill(statement) } } });
    case 1:
      return JSON.stringify({ ...s3, eventName: 'PutBucketAcl', requestParameters: { bucketName, 'x-amz-acl': 'private' } });
    case 2:
      return JSON.stringify(finding('Policy:S3/BucketAnonymousAccessGranted', 3));
    case 3:
      return JSON.stringify(finding('Exfiltration:S3/AnomalousBehavior', 10));
    case 4:
      return JSON.stringify(finding('UnauthorizedAccess:IAMUser/TorIPCaller', 0));
    case 5:
      return JSON.stringify({ ...common, eventSource: 'cloudtrail.amazonaws.com', eventName: 'StopLogging', requestParameters: { name: 'trail' } });
    case 6:
      return JSON.stringify({ ...common, eventSource: 'iam.amazonaws.com', eventName: 'CreateAccessKey', requestParameters: { userName: 'somebody' } });
    case 7:
      return JSON.stringify({ hello: index });
    default:
      return JSON.stringify({ ...common, eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', readOnly: true, requestParameters: { instancesSet: {} } });
  }
}
