import { GenerateServiceLastAccessedDetailsCommand, GetServiceLastAccessedDetailsCommand, ListInstanceProfilesForRoleCommand } from '@aws-sdk/client-iam';
import { paginateListFunctions } from '@aws-sdk/client-lambda';
import { setTimeout as sleep } from 'node:timers/promises';
import { runnersOf, type Principal, type PrincipalState } from '../../core/principal/principal.ts';
import { plain } from '../../core/text.ts';
import { iamOf, lambdaOf } from '../clients.ts';
import type { Tools } from '../function.ts';

/** What uses a principal: for the plan, so that whoever approves knows what stops. */
export interface Use {
  /** `s3, last on 2026-11-24`, newest first; a line that says why where it is not known. */
  readonly lastAccessed: readonly string[];
  /** What runs as the role and would feel it: functions, instances, services and providers whose sessions it gives. */
  readonly stops: readonly string[];
}

/** More names than anybody reads in one list. */
const MOST_NAMED = 30;

/** A report of last use that IAM was asked for. */
export interface Report {
  readonly arn: string;
  readonly job: string | undefined;
}

/** @param arn - with its path: IAM knows no other */
export async function askForReport(tools: Tools, arn: string): Promise<Report> {
  const { JobId } = await iamOf(tools.clients).send(new GenerateServiceLastAccessedDetailsCommand({ Arn: arn }));
  return { arn, job: JobId };
}

/** @param asked - the report, as it was asked for before the principal's path was known: most have none */
export async function readUse(tools: Tools, principal: Principal, { arn, trust }: PrincipalState, asked: () => Report): Promise<Use> {
  const [lastAccessed, functions, instances] = await Promise.all([lastAccess(tools, arn, asked), principal.kind === 'role' ? functionsOf(tools, arn) : [], principal.kind === 'role' ? instancesOf(tools, principal.name) : []]);
  const runners = principal.kind === 'role' ? runnersOf(trust).map((runner) => `${runner} may run as it`) : [];
  return { lastAccessed, stops: [...functions, ...instances, ...runners].slice(0, MOST_NAMED) };
}

/** The report is made in moments, usually; containment does not wait for it longer than this. */
const TRIES = 8;
const BETWEEN_MS = 500;

/**
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html (what was tried counts, refused or not; recent use appears within four hours)
 */
async function lastAccess(tools: Tools, arn: string, asked: () => Report): Promise<readonly string[]> {
  const iam = iamOf(tools.clients);
  try {
    const { job: JobId } = await reportOn(tools, arn, asked);
    for (let tries = 0; tries < TRIES; tries++) {
      const { JobStatus, ServicesLastAccessed = [] } = await iam.send(new GetServiceLastAccessedDetailsCommand({ JobId }));
      if (JobStatus === 'FAILED') return ['unknown: IAM could not say'];
      if (JobStatus === 'COMPLETED') {
        const used = ServicesLastAccessed.filter(({ LastAuthenticated }) => LastAuthenticated !== undefined).toSorted((one, other) => Number(other.LastAuthenticated) - Number(one.LastAuthenticated));
        return used.slice(0, MOST_NAMED).map(({ ServiceNamespace, LastAuthenticated }) => `${ServiceNamespace}, last on ${LastAuthenticated?.toISOString().slice(0, 10)}`);
      }
      await sleep(BETWEEN_MS);
    }
    return ['unknown: IAM was still counting'];
  } catch (error) {
    // What is not known of its use stops no containment; the plan says so.
    return [`unknown: ${error instanceof Error ? error.name : 'no answer'}`];
  }
}

async function reportOn(tools: Tools, arn: string, asked: () => Report): Promise<Report> {
  try {
    const early = asked();
    if (early.arn === arn) return early;
  } catch {
    // Nobody is at the path that was guessed, or IAM does not answer: asked for below, once more.
  }
  return await askForReport(tools, arn);
}

async function functionsOf(tools: Tools, arn: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { Functions = [] } of paginateListFunctions({ client: lambdaOf(tools.clients) }, {})) {
    names.push(...Functions.filter(({ Role }) => Role === arn).map(({ FunctionName = '' }) => `function ${plain(FunctionName, 64)} runs as it`));
  }
  return names;
}

async function instancesOf(tools: Tools, RoleName: string): Promise<readonly string[]> {
  const { InstanceProfiles = [] } = await iamOf(tools.clients).send(new ListInstanceProfilesForRoleCommand({ RoleName }));
  return InstanceProfiles.map(({ InstanceProfileName = '' }) => `instances of profile ${plain(InstanceProfileName, 64)} run as it`);
}
