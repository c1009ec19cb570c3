import * as sdk from '@aws-sdk/client-ssm';
import type { Service } from '../service.ts';

export function createSsm(): Service {
  return { name: 'ssm', sdk, protocol: 'json-1.1', operations: {} };
}
