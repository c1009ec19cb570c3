import { FromStringShapeDeserializer, JsonCodec, ToStringShapeSerializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { CodecSettings } from '@smithy/types';
import { AwsError } from '../service.ts';
import type { HttpRequest, HttpResponse } from '../service.ts';
import { jsonError, jsonShapeError, readJson, writeJson } from './json.ts';
import type { Model, WireOperation } from './model.ts';
import type { Protocol } from './protocol.ts';
import { restRoutes } from './route.ts';
import type { RestMatch } from './route.ts';
import { bucketOf } from './s3-host.ts';
import { element, XML_DECLARATION, xmlCodec } from './xml.ts';

/** How a service's XML differs from its neighbour's: namespace, where its resource is, how an error looks. */
interface Dialect {
  readonly namespace: string;
  readonly place: (request: HttpRequest) => { readonly bucket: string | null; readonly path: string };
  readonly requestIds: readonly string[];
  readonly error: (error: AwsError, requestId: string) => string;
}

/**
 * The bucket may be in the path or the host, and errors have no wrapper.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const S3_DIALECT: Dialect = {
  namespace: 'http://s3.amazonaws.com/doc/2006-03-01/',
  place: bucketOf,
  requestIds: ['x-amz-request-id', 'x-amz-id-2'],
  error: (error, requestId) => element('Error', { Code: error.code, Message: error.message, ...error.fields, RequestId: requestId, HostId: requestId }),
};

/**
 * The account is in a header and in the host; an error is wrapped.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
 */
const S3_CONTROL_DIALECT: Dialect = {
  namespace: 'http://awss3control.amazonaws.com/doc/2018-08-20/',
  place: ({ path }) => ({ bucket: null, path }),
  requestIds: ['x-amz-request-id', 'x-amz-id-2'],
  error: (error, requestId) => element('ErrorResponse', { Error: { Code: error.code, Message: error.message, ...error.fields }, RequestId: requestId, HostId: requestId }),
};

/** As Smithy has it: https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html#operation-error-serialization */
const CLOUDFRONT_DIALECT: Dialect = {
  namespace: 'http://cloudfront.amazonaws.com/doc/2020-05-31/',
  place: ({ path }) => ({ bucket: null, path }),
  requestIds: ['x-amzn-requestid'],
  error: (error, requestId) => {
    const members = { Type: error.status < 500 ? 'Sender' : 'Receiver', Code: error.code, Message: error.message, ...error.fields };
    return `<ErrorResponse xmlns="${CLOUDFRONT_DIALECT.namespace}">${element('Error', members)}${element('RequestId', requestId)}</ErrorResponse>`;
  },
};

const DIALECTS: Readonly<Record<string, Dialect>> = { cloudfront: CLOUDFRONT_DIALECT, 's3-control': S3_CONTROL_DIALECT };

/**
 * `restXml`, as S3 speaks it and as CloudFront does.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html
 */
export function restXmlProtocol(service: string, model: Model): Protocol {
  const dialect = DIALECTS[service] ?? S3_DIALECT;
  const xml = xmlCodec(dialect.namespace, true);
  const identified = (requestId: string) => Object.fromEntries(dialect.requestIds.map((name) => [name, requestId]));
  const bindings = bindingsOf(
    {
      type: 'application/xml',
      read: (shape, body) => (body.length > 0 ? xml.read(shape, body) : undefined),
      write: (shape, value) => XML_DECLARATION + xml.write(shape, value),
    },
    { timestampFormat: { useTrait: true, default: 5 }, httpBindings: true },
  );
  const find = restRoutes(model);
  return {
    route: (request) => {
      const { bucket, path } = dialect.place(request);
      const match = find(request, path, bucket);
      return match && { name: match.operation.name, read: () => bindings.read(match, request) };
    },
    write: (operation, output, requestId) => bindings.write(operation, output, identified(requestId)),
    writeError: (error, requestId) => ({
      status: error.status,
      headers: { 'content-type': 'application/xml', ...identified(requestId) },
      body: XML_DECLARATION + dialect.error(error, requestId),
    }),
    shapeError: () =>
      new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema'),
  };
}

/**
 * `restJson1` as Lambda speaks it.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 */
export function restJsonProtocol(model: Model): Protocol {
  const codec = new JsonCodec({ timestampFormat: { useTrait: true, default: 7 }, httpBindings: true, jsonName: true });
  const bindings = bindingsOf(
    {
      type: 'application/json',
      read: (shape, body) => readJson(codec, shape, body),
      write: (shape, value) => writeJson(codec, shape, value),
    },
    { timestampFormat: { useTrait: true, default: 7 }, httpBindings: true },
  );
  const find = restRoutes(model);
  return {
    route: (request) => {
      const match = find(request, request.path, null);
      return match && { name: match.operation.name, read: () => bindings.read(match, request) };
    },
    write: (operation, output, requestId) => bindings.write(operation, output, { 'x-amzn-requestid': requestId }),
    writeError: (error, requestId) => jsonError(codec, model, error, requestId, 'application/json'),
    shapeError: jsonShapeError,
  };
}

interface Bindings {
  readonly read: (match: RestMatch, request: HttpRequest) => unknown;
  readonly write: (operation: WireOperation, output: unknown, headers: Readonly<Record<string, string>>) => HttpResponse;
}

interface Body {
  readonly type: string;
  readonly read: (shape: NormalizedSchema, body: Uint8Array) => unknown;
  readonly write: (shape: NormalizedSchema, value: unknown) => string;
}

/** Which member is in the path, the query, a header, or the body: the schema's HTTP traits, both ways. */
function bindingsOf(body: Body, settings: CodecSettings): Bindings {
  const fromText = new FromStringShapeDeserializer(settings);
  const toText = new ToStringShapeSerializer(settings);
  const text = (shape: NormalizedSchema, value: unknown): string => {
    toText.write(shape, value);
    return toText.flush();
  };
  return {
    read: ({ operation, labels }, request) => {
      const input: Record<string, unknown> = {};
      const inBody: string[] = [];
      if (operation.input.isUnitSchema()) return input;
      for (const [name, member] of operation.input.structIterator()) {
        const traits = member.getMergedTraits();
        if (traits.httpLabel) {
          const label = labels.get(name);
          if (label !== undefined) input[name] = fromText.read(member, label);
        } else if (traits.httpQuery) {
          const values = request.query.getAll(traits.httpQuery);
          const [first] = values;
          if (first === undefined) continue;
          input[name] = member.isListSchema() ? values.map((value): unknown => fromText.read(member.getValueSchema(), value)) : fromText.read(member, first);
        } else if (traits.httpHeader) {
          const value = request.headers[traits.httpHeader.toLowerCase()];
          if (value !== undefined) input[name] = fromText.read(member, value);
        } else if (traits.httpPrefixHeaders) {
          input[name] = prefixed(request.headers, traits.httpPrefixHeaders.toLowerCase());
        } else if (traits.httpPayload || member.isStreaming()) {
          input[name] = readPayload(member, request.body, body);
        } else if (!traits.httpQueryParams) {
          inBody.push(name);
        }
      }
      const parsed = inBody.length > 0 ? body.read(operation.input, request.body) : undefined;
      if (isRecord(parsed)) for (const name of inBody) if (parsed[name] !== undefined) input[name] = parsed[name];
      return input;
    },
    write: (operation, output, extra) => {
      const headers: Record<string, string> = { ...extra };
      let status = operation.http?.status ?? 200;
      let payload: Uint8Array | string = '';
      if (operation.output.isUnitSchema()) return { status, headers, body: payload };
      const values = isRecord(output) ? output : {};
      const inBody: Record<string, unknown> = {};
      let hasBody = false;
      for (const [name, member] of operation.output.structIterator()) {
        const traits = member.getMergedTraits();
        const value = values[name];
        const isBody = !(traits.httpHeader || traits.httpPrefixHeaders || traits.httpResponseCode || traits.httpPayload || member.isStreaming());
        hasBody ||= isBody;
        if (value === undefined || value === null) continue;
        if (isBody) inBody[name] = value;
        else if (traits.httpHeader) headers[traits.httpHeader.toLowerCase()] = text(member, value);
        else if (traits.httpResponseCode) status = Number(value);
        else if (traits.httpPrefixHeaders) {
          for (const [key, entry] of Object.entries(value)) headers[traits.httpPrefixHeaders + key.toLowerCase()] = String(entry);
        } else if (value instanceof Uint8Array || typeof value === 'string') payload = value;
        else payload = body.write(member, value);
      }
      if (hasBody) payload = body.write(operation.output, inBody);
      // A part of an object is 206: S3's model says so nowhere, RFC 9110 and clients do.
      if (headers['content-range']) status = 206;
      if (payload.length > 0) headers['content-type'] ??= typeof payload === 'string' ? body.type : 'application/octet-stream';
      return { status, headers, body: payload };
    },
  };
}

function readPayload(member: NormalizedSchema, bytes: Uint8Array, body: Body): unknown {
  if (member.isBlobSchema()) return bytes.length > 0 || member.isStreaming() ? bytes : undefined;
  if (member.isStringSchema()) return Buffer.from(bytes).toString('utf8');
  return body.read(member, bytes);
}

function prefixed(headers: Readonly<Record<string, string>>, prefix: string): Readonly<Record<string, string>> {
  const matching = Object.entries(headers).filter(([name]) => name.startsWith(prefix) && name.length > prefix.length);
  return Object.fromEntries(matching.map(([name, value]) => [name.slice(prefix.length), value]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
