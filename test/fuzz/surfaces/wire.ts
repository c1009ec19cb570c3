import { request } from 'node:http';
import fc from 'fast-check';
import { startAccount } from '../../../sandbox/account.ts';
import { mangled, nastyText } from '../mangle.ts';
import { surface, Violation } from '../surface.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TARGETS = ['DynamoDB_20120810.GetItem', 'DynamoDB_20120810.Query', 'AWSStepFunctions.StartExecution', 'AmazonSSM.CreateOpsItem', 'AWSEvents.PutEvents', 'TrentService.Sign', 'secretsmanager.GetSecretValue', 'AmazonSQS.SendMessage', 'Nothing.At_All'] as const;
const JSONS = [
  { TableName: 'stopbath-dev', Key: { pk: { S: 'a' }, sk: { S: 'b' } } },
  { stateMachineArn: 'arn:aws:states:us-east-1:111122223333:stateMachine:x', name: 'n', input: '{}' },
  { Entries: [{ Source: 'a', DetailType: 'b', Detail: '{}', EventBusName: 'default' }] },
];
const PATHS = ['/', '/family-photos-111122223333', '/family-photos-111122223333/albums/summer.jpg', '/family-photos-111122223333?policy', '/family-photos-111122223333?acl', '/family-photos-111122223333?list-type=2&continuation-token=x', '/?Action=AssumeRole&RoleArn=x', '/2015-03-31/functions/x/invocations', '/_cloudfront/E1/x?Expires=1&Signature=x&Key-Pair-Id=y', '/v20180820/configuration/publicAccessBlock', '/s/token'] as const;
const XMLS = ['<AccessControlPolicy><Owner><ID>x</ID></Owner></AccessControlPolicy>', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>', '<a'.repeat(500), '{"Version":"2012-10-17","Statement":[]}'] as const;

const header = nastyText.map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?'));
const sent: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
  path: fc.oneof({ weight: 4, arbitrary: fc.constantFrom<string>(...PATHS) }, { weight: 1, arbitrary: nastyText.map((text) => `/${text.replaceAll(/[^\x21-\x7e]/g, '%')}`) }),
  headers: fc.record(
    {
      'x-amz-target': fc.constantFrom<string>(...TARGETS),
      authorization: fc.oneof(fc.constant('AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'), fc.constant('AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=zz'), header),
      'x-amz-date': fc.oneof(fc.constant('20260101T000000Z'), header),
      'x-amz-content-sha256': fc.oneof(fc.constantFrom('UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), header),
      'content-type': fc.constantFrom('application/x-amz-json-1.0', 'application/x-amz-json-1.1', 'application/x-www-form-urlencoded', 'application/xml', 'application/cbor', ''),
      'x-amz-trailer': header,
      range: header,
      'x-amz-copy-source': header,
      'x-amz-tagging': header,
      host: fc.constantFrom('127.0.0.1', 'family-photos-111122223333.s3.amazonaws.com', '111122223333.s3-control.us-east-1.amazonaws.com', 'x', ''),
    },
    { requiredKeys: [] },
  ),
  body: fc.oneof(fc.constantFrom(...JSONS).chain((value) => mangled(value)).map((value) => JSON.stringify(value) ?? ''), fc.constantFrom<string>(...XMLS), nastyText),
});

/** Requests as they come over the wire, of nobody in particular: answered, never with a failure, and without any effect. */
export const wire = surface('wire', 'sandbox wire requests', async () => {
  const account = await startAccount();
  const { port } = new URL(account.endpoint);
  return {
    cases: sent,
    close: account.stop,
    holds: async (asked) => {
      const before = account.calls.length;
      const { status, body } = await send(Number(port), asked);
      if (status >= 500 && status !== 501) throw new Violation(`${asked.method} ${asked.path}: ${status} ${body.slice(0, 300)}`);
      if (/\bat [\w./<>]+ \(|node:internal/.test(body)) throw new Violation(`tells its insides: ${body.slice(0, 300)}`);
      const acted = account.calls.slice(before).filter(({ operation, status: done }) => done < 400 && !/^(Get|List|Head)/.test(operation));
      if (acted.length > 0) throw new Violation(`${asked.method} ${asked.path} did ${acted.map(({ service, operation }) => `${service}:${operation}`).join(', ')}`);
    },
  };
});

function send(port: number, { method, path, headers, body }: Sent): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, method, path, headers: { ...headers, 'content-length': Buffer.byteLength(body) }, insecureHTTPParser: true, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
      answer.on('error', reject);
    });
    asking.on('error', (error) => reject(new Violation(`the connection broke: ${error.message}`)));
    asking.end(body);
  });
}
