import { type DeployOptions, type Deployment, deployInto, deployMember, ROOT } from './deploy.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts';
import { createCloudFront, type CloudFront } from './services/cloudfront.ts';
import { createCloudTrail, type CloudTrail } from './services/cloudtrail.ts';
import { createCloudWatch } from './services/cloudwatch.ts';
import { createEvents, type EventsService } from './services/events.ts';
import type { DeadLetter } from './services/events/dead-letters.ts';
import { createKms } from './services/kms.ts';
import { createLambda, type LambdaService } from './services/lambda.ts';
import { createGuardDuty, type GuardDuty } from './services/guardduty.ts';
import { createSecrets } from './services/secrets.ts';
import { createSns, type Sns } from './services/sns.ts';
import { createSqs } from './services/sqs.ts';
import { createS3, type S3 } from './services/s3.ts';
import { createStepFunctions } from './services/stepfunctions.ts';

/** A sandbox with every service that the suite uses, and what is behind their APIs. */
export interface Account extends Sandbox {
  readonly s3: S3;
  readonly cloudfront: CloudFront;
  readonly cloudtrail: CloudTrail;
  readonly guardduty: GuardDuty;
  readonly lambda: LambdaService;
  readonly events: EventsService;
  readonly sns: Sns;
  /** What neither EventBridge nor Lambda could deliver, oldest first. */
  readonly deadLetters: () => readonly DeadLetter[];
  /** Ends all functions that run, as a crash would; the next invocation finds a new runtime. */
  readonly killFunctions: () => Promise<void>;
  /** Deploys `serverless.yml` into it. */
  readonly deploy: (options?: DeployOptions) => Promise<Deployment>;
  /** Deploys `deploy/member-account.yml` into an account; in the home region unless told. */
  readonly deployMember: (account: string, parameters: Readonly<Record<string, string>>, region?: string) => Promise<void>;
}

/**
 * @param options.root - what functions see as `LAMBDA_TASK_ROOT`, and where `deploy` looks; this repository unless told
 * @param options.invalidationMs - how long CloudFront's invalidations are in progress
 * @param options.unreserved - how many functions without reserved concurrency run at once; as many as there are unless told
 */
export async function startAccount(options: Omit<SandboxOptions, 'services'> & { readonly root?: string; readonly invalidationMs?: number; readonly unreserved?: number } = {}): Promise<Account> {
  const { root = ROOT, invalidationMs, unreserved, ...rest } = options;
  const sandbox = await startSandbox(rest);
  const { world } = sandbox;
  const [s3, lambda, events, sns, guardduty, cloudtrail] = [createS3(world), createLambda(world, { root, ...(unreserved === undefined ? {} : { unreserved }) }), createEvents(world), createSns(), createGuardDuty(), createCloudTrail()];
  const cloudfront = createCloudFront(world, invalidationMs === undefined ? {} : { invalidationMs });
  for (const service of [s3, s3.control, createCloudWatch(s3), cloudfront, createStepFunctions(world), createKms(world), lambda, events, sns, createSqs(), createSecrets(), guardduty, cloudtrail]) sandbox.register(service);
  return {
    ...sandbox,
    s3,
    cloudfront,
    cloudtrail,
    guardduty,
    lambda,
    events,
    sns,
    deadLetters: () => [...events.deadLetters, ...lambda.deadLetters].toSorted((one, other) => one.at - other.at),
    killFunctions: () => lambda.kill(),
    deployMember: (member, parameters, region) => deployMember(world, member, { SecurityAccount: sandbox.accounts.home, HomeRegion: world.region, ...parameters }, root, region),
    deploy: (how) => deployInto(world, lambda, { root, ...how }),
    stop: async () => {
      events.stop();
      await Promise.all([lambda.stop(), sandbox.stop()]);
    },
  };
}
