import * as sdk from '@aws-sdk/client-secrets-manager';
import { AwsError, operation, type Service } from '../service.ts';

/**
 * Secrets Manager: secrets that are made and read, by name or ARN. The six characters at an ARN's end are always the same here.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function createSecrets(): Service {
  const secrets = new Map<string, string>();
  return {
    name: 'secretsmanager',
    sdk,
    protocol: 'json-1.1',
    operations: {
      CreateSecret: operation<sdk.CreateSecretCommandInput, sdk.CreateSecretCommandOutput>({
        needs: ({ Name }, { region, world }) => [{ action: 'secretsmanager:CreateSecret', resource: arnOf(Name, region, world.account) }],
        run: ({ Name = '', SecretString = '' }, { region, world }) => {
          const ARN = arnOf(Name, region, world.account);
          if (secrets.has(ARN)) throw new AwsError('ResourceExistsException', `The operation failed because the secret ${Name} already exists.`);
          secrets.set(ARN, SecretString);
          return { ARN, Name };
        },
      }),
      PutSecretValue: operation<sdk.PutSecretValueCommandInput, sdk.PutSecretValueCommandOutput>({
        needs: ({ SecretId }, { region, world }) => [{ action: 'secretsmanager:PutSecretValue', resource: arnOf(SecretId, region, world.account) }],
        run: ({ SecretId, SecretString = '' }, { region, world }) => {
          secrets.set(arnOf(SecretId, region, world.account), SecretString);
          return {};
        },
      }),
      GetSecretValue: operation<sdk.GetSecretValueCommandInput, sdk.GetSecretValueCommandOutput>({
        needs: ({ SecretId }, { region, world }) => [{ action: 'secretsmanager:GetSecretValue', resource: arnOf(SecretId, region, world.account) }],
        run: ({ SecretId = '' }, { region, world }) => {
          const ARN = arnOf(SecretId, region, world.account);
          const SecretString = secrets.get(ARN);
          if (SecretString === undefined) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
          return { ARN, SecretString };
        },
      }),
    },
  };
}

function arnOf(id: string | undefined, region: string, account: string): string {
  return id?.startsWith('arn:') ? id : `arn:aws:secretsmanager:${region}:${account}:secret:${id ?? '*'}-AbCdEf`;
}
