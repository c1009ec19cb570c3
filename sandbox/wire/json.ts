import { JsonCodec } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { AwsError } from '../service.ts';
import type { HttpResponse } from '../service.ts';
import type { ShapeError } from './check.ts';
import type { Model } from './model.ts';
import type { Protocol } from './protocol.ts';

/**
 * `awsJson1_0` and `awsJson1_1`: the operation is in `X-Amz-Target`, input and output are the body.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export function jsonProtocol(version: 'json-1.0' | 'json-1.1', model: Model): Protocol {
  const type = `application/x-amz-${version}`;
  const codec = new JsonCodec({ timestampFormat: { useTrait: true, default: 7 }, jsonName: false });
  return {
    route: (request) => {
      const name = request.headers['x-amz-target']?.split('.').at(-1);
      return name ? { name, read: (operation) => readJson(codec, operation.input, request.body) } : null;
    },
    write: (operation, output, requestId) => ({
      status: 200,
      headers: { 'content-type': type, 'x-amzn-requestid': requestId },
      body: writeJson(codec, operation.output, output),
    }),
    writeError: (error, requestId) => jsonError(codec, model, error, requestId, type),
    shapeError: jsonShapeError,
  };
}

export function readJson(codec: JsonCodec, shape: NormalizedSchema, body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('utf8');
  const value = text ? JSON.parse(text) : {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new TypeError('not a JSON object');
  return codec.createDeserializer().readObject(shape, value);
}

export function writeJson(codec: JsonCodec, shape: NormalizedSchema, value: unknown): string {
  if (shape.isUnitSchema()) return '{}';
  const serializer = codec.createSerializer();
  serializer.write(shape, value ?? {});
  return serializer.flush();
}

/** The code is in the body for JSON clients and in the header for REST ones; sending both serves each. */
export function jsonError(codec: JsonCodec, model: Model, error: AwsError, requestId: string, type: string): HttpResponse {
  const shape = model.errors.get(error.code);
  const members = { message: error.message, Message: error.message, ...error.fields };
  const fields: unknown = shape ? JSON.parse(writeJson(codec, shape, members)) : { message: error.message, ...error.fields };
  return {
    status: error.status,
    headers: { 'content-type': type, 'x-amzn-requestid': requestId, 'x-amzn-errortype': error.code },
    body: JSON.stringify({ __type: error.code, ...(typeof fields === 'object' ? fields : {}) }),
  };
}

export function jsonShapeError(problem: ShapeError): AwsError {
  return new AwsError(problem.kind === 'missing' ? 'ValidationException' : 'SerializationException', problem.message);
}
