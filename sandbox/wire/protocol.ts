import { AwsError } from '../service.ts';
import type { HttpRequest, HttpResponse, Service } from '../service.ts';
import { checkShape, ShapeError } from './check.ts';
import { jsonProtocol } from './json.ts';
import { modelOf } from './model.ts';
import type { Model, WireOperation } from './model.ts';
import { queryProtocol } from './query.ts';
import { restJsonProtocol, restXmlProtocol } from './rest.ts';

/** A wire protocol in the server's direction: what the SDK's clients write, read; and what they read, written. */
export interface Protocol {
  /** The operation's name and how to read its input, or `null` where the request names none that AWS has. */
  readonly route: (request: HttpRequest) => { readonly name: string; readonly read: (operation: WireOperation) => unknown } | null;
  readonly write: (operation: WireOperation, output: unknown, requestId: string) => HttpResponse;
  readonly writeError: (error: AwsError, requestId: string) => HttpResponse;
  /** What the protocol's services answer to a body of the wrong shape. */
  readonly shapeError: (problem: ShapeError) => AwsError;
}

const protocols = new WeakMap<Service, Protocol>();

/** The protocol of a service, whose routes are sorted once and not at every request. */
export function protocolOf(service: Service): Protocol {
  const known = protocols.get(service) ?? makeProtocol(service);
  protocols.set(service, known);
  return known;
}

function makeProtocol(service: Service): Protocol {
  const model = modelOf(service.sdk);
  switch (service.protocol) {
    case 'rest-xml':
      return restXmlProtocol(service.name, model);
    case 'rest-json':
      return restJsonProtocol(model);
    case 'query':
      return queryProtocol(service.name);
    default:
      return jsonProtocol(service.protocol, model);
  }
}

/**
 * Read a request into an operation's name and its typed input.
 *
 * @throws {AwsError} `UnknownOperationException` for what AWS has not, and where the input is not what the operation takes
 */
export function readRequest(protocol: Protocol, model: Model, request: HttpRequest): { readonly operation: WireOperation; readonly input: unknown } {
  const route = protocol.route(request);
  const operation = route && model.operations.get(route.name);
  if (!route || !operation) throw new AwsError('UnknownOperationException', `No operation: ${request.method} ${request.path}`, 404);
  try {
    const input = route.read(operation);
    checkShape(operation.input, input);
    return { operation, input };
  } catch (error) {
    if (error instanceof AwsError) throw error;
    // The SDK's readers throw plain errors at text that is not XML, JSON, base64 or a date.
    throw protocol.shapeError(error instanceof ShapeError ? error : new ShapeError('type', 'body'));
  }
}
