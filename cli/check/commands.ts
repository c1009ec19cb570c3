import { join } from 'node:path';
import { buildSync } from 'esbuild';

/**
 * The IAM actions that a function's code calls: what is left in its bundle when all else is shaken off. More than it does, where code
 * stands in a table of ways; never less, but for calls that are made by hand.
 */
export function actionsCalled(root: string, name: string): readonly string[] {
  const key = join(root, name);
  const known = KNOWN.get(key) ?? read(root, name);
  KNOWN.set(key, known);
  return known;
}

/** A bundle is made once a process. */
const KNOWN = new Map<string, readonly string[]>();

function read(root: string, name: string): readonly string[] {
  const { outputFiles } = buildSync({
    entryPoints: [join(root, 'functions', name, 'handler.ts')],
    absWorkingDir: root,
    bundle: true,
    packages: 'external',
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
  });
  const text = outputFiles[0]?.text ?? '';
  const imports = /import\s*\{([^}]*)\}\s*from "@aws-sdk\/([a-z0-9-]+)";?/g;
  const sources = new Map<string, Call>();
  for (const [, names = '', from = ''] of text.matchAll(imports)) {
    for (const [name = '', local = name] of names.split(',').map((one) => one.trim().split(' as '))) sources.set(local, { from, name });
  }
  const used = new Set(text.replaceAll(imports, '').match(/\b(?:\w+Command\d*|paginate[A-Z]\w*)\b/g));
  return [...new Set([...used].flatMap((local) => actionOf(sources.get(local))))].toSorted();
}

interface Call {
  /** The package without its scope. */
  readonly from: string;
  readonly name: string;
}

/** Client packages whose actions have another prefix. */
const PREFIX: Readonly<Record<string, string>> = { 'client-sfn': 'states', 'client-secrets-manager': 'secretsmanager', 'client-s3-control': 's3', 'lib-dynamodb': 'dynamodb', 'client-cloudwatch': 'cloudwatch', 'client-eventbridge': 'events' };

function actionOf(call: Call | undefined): readonly string[] {
  if (!call) return [];
  const { from, name } = call;
  const operation = name.replace(/Command$/, '').replace(/^paginate/, '');
  // Whoever can call at all may ask who they are.
  if (from === 'client-sts' && operation === 'GetCallerIdentity') return [];
  return [`${PREFIX[from] ?? from.replace('client-', '')}:${OTHERWISE[from]?.[operation] ?? operation}`];
}

/**
 * Operations whose action is called otherwise. A transaction is asked for what it does to each item, and the suite's only put.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
 */
const OTHERWISE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'client-lambda': { Invoke: 'InvokeFunction' },
  'lib-dynamodb': { Get: 'GetItem', Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', BatchGet: 'BatchGetItem', BatchWrite: 'BatchWriteItem', TransactWrite: 'PutItem' },
  'client-s3-control': { GetPublicAccessBlock: 'GetAccountPublicAccessBlock' },
  'client-s3': {
    HeadObject: 'GetObject',
    HeadBucket: 'ListBucket',
    ListObjects: 'ListBucket',
    ListObjectsV2: 'ListBucket',
    ListObjectVersions: 'ListBucketVersions',
    ListBuckets: 'ListAllMyBuckets',
    GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
    PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
    DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
    GetBucketCors: 'GetBucketCORS',
    PutBucketCors: 'PutBucketCORS',
    DeleteBucketTagging: 'PutBucketTagging',
    GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
    PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
    DeleteBucketLifecycle: 'PutLifecycleConfiguration',
    GetBucketReplication: 'GetReplicationConfiguration',
    GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
    GetBucketNotificationConfiguration: 'GetBucketNotification',
  },
};
