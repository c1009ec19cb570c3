import * as sdk from '@aws-sdk/client-cloudwatch';
import { AwsError, operation, type Service } from '../service.ts';
import type { S3 } from './s3.ts';

/**
 * CloudWatch, as far as S3's daily count of a bucket's objects: one value a day, which a new bucket does not have yet.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
 */
export function createCloudWatch(s3: Pick<S3, 'counted'>): Service {
  return {
    name: 'monitoring',
    sdk,
    protocol: 'json-1.0',
    operations: {
      GetMetricData: operation<sdk.GetMetricDataCommandInput, sdk.GetMetricDataCommandOutput>({
        needs: () => [{ action: 'cloudwatch:GetMetricData', resource: '*' }],
        run: ({ MetricDataQueries = [], StartTime, EndTime }, { world }) => ({
          MetricDataResults: MetricDataQueries.map(({ Id, MetricStat }) => {
            const { Namespace, MetricName, Dimensions = [] } = MetricStat?.Metric ?? {};
            if (Namespace !== 'AWS/S3' || MetricName !== 'NumberOfObjects') throw new AwsError('NotImplemented', `the sandbox has AWS/S3 NumberOfObjects alone, not ${Namespace} ${MetricName}`, 501);
            const dimension = (name: string) => Dimensions.find(({ Name }) => Name === name)?.Value ?? '';
            const count = dimension('StorageType') === 'AllStorageTypes' ? s3.counted(world.account, dimension('BucketName')) : null;
            const within = count !== null && count.at >= (StartTime?.getTime() ?? 0) && count.at < (EndTime?.getTime() ?? 0);
            return { Id, Label: MetricName, StatusCode: 'Complete' as const, Timestamps: within ? [new Date(count.at)] : [], Values: within ? [count.objects] : [] };
          }),
        }),
      }),
    },
  };
}
