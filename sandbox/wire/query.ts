import { FromStringShapeDeserializer } from '@smithy/core/protocols';
import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticStructureSchema } from '@smithy/types';
import { AwsError } from '../service.ts';
import type { HttpResponse } from '../service.ts';
import type { WireOperation } from './model.ts';
import type { Protocol } from './protocol.ts';
import { element, xmlCodec } from './xml.ts';

/** XML namespaces of the services that speak this protocol; clients ignore them, strict ones look. */
const NAMESPACES: Readonly<Record<string, string>> = {
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
};

/**
 * `awsQuery`: a form in, XML out.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function queryProtocol(service: string): Protocol {
  const namespace = NAMESPACES[service] ?? '';
  const codec = xmlCodec(namespace, false);
  return {
    route: (request) => {
      const form = new URLSearchParams(Buffer.from(request.body).toString('utf8'));
      for (const [key, value] of request.query) form.append(key, value);
      const name = form.get('Action');
      return name ? { name, read: (operation) => readForm(operation.input, form) } : null;
    },
    write: (operation, output, requestId) => {
      const result = operation.output.isStructSchema() ? codec.write(renamed(operation), output ?? {}) : '';
      const metadata = element('ResponseMetadata', { RequestId: requestId });
      const tag = `${operation.name}Response`;
      return answer(200, requestId, `<${tag} xmlns="${namespace}">${result}${metadata}</${tag}>`);
    },
    writeError: (error, requestId) => {
      const members = { Type: error.status < 500 ? 'Sender' : 'Receiver', Code: error.code, Message: error.message, ...error.fields };
      return answer(
        error.status,
        requestId,
        `<ErrorResponse xmlns="${namespace}">${element('Error', members)}${element('RequestId', requestId)}</ErrorResponse>`,
      );
    },
    shapeError: (problem) => new AwsError(problem.kind === 'missing' ? 'ValidationError' : 'MalformedInput', problem.message),
  };
}

function answer(status: number, requestId: string, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body };
}

/** The output's element is `<Operation>Result`, whatever the shape is called. */
function renamed(operation: WireOperation): NormalizedSchema {
  const schema = operation.output.getSchema();
  if (!Array.isArray(schema) || schema[0] !== 3) return operation.output;
  const result: StaticStructureSchema = [3, schema[1], `${operation.name}Result`, 0, schema[4], schema[5]];
  return NormalizedSchema.of(result);
}

interface Branch {
  value: string | undefined;
  readonly children: Map<string, Branch>;
}

/** `Tags.member.1.Key=a` as a tree, then the tree by the schema. */
function readForm(shape: NormalizedSchema, form: URLSearchParams): unknown {
  const root: Branch = { value: undefined, children: new Map() };
  for (const [key, value] of form) {
    let branch = root;
    for (const part of key.split('.')) {
      const child = branch.children.get(part) ?? { value: undefined, children: new Map() };
      branch.children.set(part, child);
      branch = child;
    }
    branch.value = value;
  }
  return shape.isStructSchema() ? readBranch(shape, root) : {};
}

const scalars = new FromStringShapeDeserializer({ timestampFormat: { useTrait: true, default: 5 }, httpBindings: false });

function readBranch(shape: NormalizedSchema, branch: Branch): unknown {
  if (shape.isStructSchema()) {
    const members: Record<string, unknown> = {};
    for (const [name, member] of shape.structIterator()) {
      const child = branch.children.get(member.getMergedTraits().xmlName ?? name);
      if (child) members[name] = readBranch(member, child);
    }
    return members;
  }
  const flat = Boolean(shape.getMergedTraits().xmlFlattened);
  if (shape.isListSchema()) {
    const member = shape.getValueSchema();
    const items = flat ? branch : branch.children.get(member.getMergedTraits().xmlName ?? 'member');
    return numbered(items).map((child) => readBranch(member, child));
  }
  if (shape.isMapSchema()) {
    const entries = numbered(flat ? branch : branch.children.get('entry'));
    const key = shape.getKeySchema().getMergedTraits().xmlName ?? 'key';
    const value = shape.getValueSchema();
    return Object.fromEntries(
      entries.map((entry) => [
        entry.children.get(key)?.value ?? '',
        readBranch(value, entry.children.get(value.getMergedTraits().xmlName ?? 'value') ?? { value: '', children: new Map() }),
      ]),
    );
  }
  return scalars.read(shape, branch.value ?? '');
}

function numbered(branch: Branch | undefined): readonly Branch[] {
  return [...(branch?.children ?? [])].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);
}
