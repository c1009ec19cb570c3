import type { Settings } from './settings.ts';

/** The state machine of a playbook: `stopbath-<stage>-<playbook>` in the function's own account and region. */
export function stateMachineArn(settings: Pick<Settings, 'AWS_REGION' | 'STOPBATH_ACCOUNT' | 'STOPBATH_NAME'>, playbook: string): string {
  return `arn:aws:states:${settings.AWS_REGION}:${settings.STOPBATH_ACCOUNT}:stateMachine:${settings.STOPBATH_NAME}-${playbook}`;
}
