import { XmlCodec } from '@aws-sdk/core/protocols';
import type { Schema } from '@smithy/types';

/** Reads and writes a shape as XML, in the namespace that the service's documents carry. */
export function xmlCodec(namespace: string, httpBindings: boolean): XmlShapes {
  const codec = new XmlCodec({ timestampFormat: { useTrait: true, default: 5 }, httpBindings, xmlNamespace: namespace, serviceNamespace: '' });
  return {
    read: (shape, body): unknown => codec.createDeserializer().read(shape, body),
    write: (shape, value) => {
      const serializer = codec.createSerializer();
      serializer.write(shape, value);
      return serializer.flush().toString();
    },
  };
}

export interface XmlShapes {
  readonly read: (shape: Schema, body: Uint8Array) => unknown;
  readonly write: (shape: Schema, value: unknown) => string;
}

/** An element that no schema describes, such as an error: a record's members become elements in it. */
export function element(name: string, content: unknown): string {
  if (typeof content !== 'object' || content === null) return `<${name}>${escape(String(content))}</${name}>`;
  const members = Object.entries(content).filter(([, value]) => value !== undefined && value !== null);
  return `<${name}>${members.map(([key, value]) => element(key, value)).join('')}</${name}>`;
}

/** Text as XML holds it; control characters that XML 1.0 cannot hold at all are dropped. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#xD;');
}

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
