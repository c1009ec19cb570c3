import { AwsError } from '../service.ts';
import type { HttpRequest } from '../service.ts';
import { requiredMembers } from './model.ts';
import type { Model, WireOperation } from './model.ts';

export interface RestMatch {
  readonly operation: WireOperation;
  /** Members that the path holds, percent-decoded. */
  readonly labels: ReadonlyMap<string, string>;
}

/**
 * Find the operation of a REST request, among all that the schemas know, so that one that the sandbox does not
 * serve is still named. Many share method and path (`PUT /{Key+}` alone is five): the one that asks for most of
 * what the request has wins.
 */
export function restRoutes(model: Model): (request: HttpRequest, path: string, bucket: string | null) => RestMatch | null {
  const routes = [...model.operations.values()].flatMap((operation) => routeOf(operation) ?? []).sort((a, b) => b.weight - a.weight);
  return (request, path, bucket) => {
    for (const route of routes) {
      if (route.method !== request.method || route.needsBucket !== (bucket !== null)) continue;
      const found = route.path.exec(path);
      if (!found || !route.query.every(([name, value]) => request.query.get(name) === value)) continue;
      if (!route.requiredQuery.every((name) => request.query.has(name))) continue;
      if (!route.requiredHeaders.every((name) => request.headers[name] !== undefined)) continue;
      const labels = new Map(route.labels.map((name, index) => [name, decode(found[index + 1] ?? '')]));
      if (bucket !== null) labels.set('Bucket', bucket);
      return { operation: route.operation, labels };
    }
    return null;
  };
}

interface Route {
  readonly operation: WireOperation;
  readonly method: string;
  readonly path: RegExp;
  readonly labels: readonly string[];
  readonly query: readonly (readonly [string, string])[];
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  /** S3 alone has a bucket outside its paths. */
  readonly needsBucket: boolean;
  readonly weight: number;
}

function routeOf(operation: WireOperation): Route | null {
  if (!operation.http || operation.input.isUnitSchema()) return null;
  const [template = '', search = ''] = operation.http.path.split('?');
  const labels: string[] = [];
  const pattern = template
    .replace(/\/$/, '')
    .replaceAll(/[.]/g, String.raw`\.`)
    .replaceAll(/\{(\w+)(\+?)\}/g, (_, name: string, greedy: string) => {
      labels.push(name);
      return greedy ? '(.+)' : '([^/]+)';
    });
  // `x-id` names the operation for logs; no client has to send it.
  const query = [...new URLSearchParams(search)].filter(([name]) => name !== 'x-id');
  const members = operation.input.getMemberSchemas();
  const required = requiredMembers(operation.input).map((name) => members[name]?.getMergedTraits() ?? {});
  const requiredQuery = required.flatMap((traits) => traits.httpQuery ?? []);
  const requiredHeaders = required.flatMap((traits) => traits.httpHeader?.toLowerCase() ?? []);
  // Of S3 alone the bucket is a part of the address that no path names.
  const isS3 = members['Bucket']?.getMergedTraits().httpLabel !== undefined && !labels.includes('Bucket');
  return {
    operation,
    method: operation.http.method,
    path: new RegExp(`^${pattern}/?$`, 's'),
    labels,
    query,
    requiredQuery,
    requiredHeaders,
    needsBucket: isS3,
    weight: (query.length + requiredQuery.length + requiredHeaders.length) * 1000 + template.replaceAll(/\{\w+\+?\}/g, '').length,
  };
}

function decode(label: string): string {
  try {
    return decodeURIComponent(label);
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
  }
}
