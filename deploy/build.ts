/**
 * Bundles each function into `dist/<name>/handler.mjs`, alone and minified, and prints how large it became.
 *
 *     node deploy/build.ts
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile, type Plugin } from 'esbuild';
import { z } from 'zod';
import { foldersOf } from './stack.ts';

export interface Bundle {
  readonly name: string;
  readonly bytes: number;
  readonly gzipped: number;
  /** What takes the most room in it: package and bytes. */
  readonly largest: string;
  /** Packages that it is made of. */
  readonly packages: readonly string[];
}

/** ESM has no `require`, and some dependencies still ask for it. */
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/**
 * @param root - the repository's folder
 * @param names - functions to bundle; all unless told
 */
export async function buildFunctions(root: string, names = foldersOf(join(root, 'functions'))): Promise<readonly Bundle[]> {
  return await bundle(root, Object.fromEntries(names.map((name) => [`${name}/handler`, join(root, 'functions', name, 'handler.ts')])));
}

/** What a share service imports: `dist/share-links.mjs`, which brings everything but the AWS SDK that the service has anyway. */
export async function buildShareModule(root: string): Promise<readonly Bundle[]> {
  return await bundle(root, { 'share-links': join(root, 'aws/share-links.ts') }, ['@aws-sdk/*']);
}

/** One build for all entries: what they share is parsed once. */
async function bundle(root: string, entryPoints: Readonly<Record<string, string>>, external: string[] = []): Promise<readonly Bundle[]> {
  const { metafile } = await build({
    entryPoints,
    outdir: join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    external,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    treeShaking: true,
    sourcemap: 'external',
    legalComments: 'none',
    banner: { js: REQUIRE },
    metafile: true,
    logLevel: 'warning',
    plugins: [onlyWhatIsUsed],
  });
  return Object.keys(entryPoints).map((entry) => {
    const file = `dist/${entry}.mjs`;
    const code = readFileSync(join(root, file));
    return { name: entry.replace(/\/handler$/, ''), bytes: code.length, gzipped: gzipSync(code).length, ...madeOf(metafile, file) };
  });
}

/** What esbuild cannot see is unused. Everything here only takes away; a test runs what is left. */
const onlyWhatIsUsed: Plugin = {
  name: 'only-what-is-used',
  setup: (build) => {
    const named = wordsOf(build.initialOptions.absWorkingDir ?? '');
    // What every function has in it: where one of these files is not met, the package has moved it.
    const unmet = new Set(build.initialOptions.external?.length ? [] : ['zod/v4/classic/schemas.js', '@smithy/core/event-streams', '@aws-sdk/*/schemas/schemas_*.js', '@aws-sdk/credential-provider-node']);
    build.onEnd(() => ({ errors: [...unmet].map((file) => ({ text: `no bundle imports ${file} any more, so that deploy/build.ts takes nothing out of it. Look what it is called now.` })) }));
    const met = (file: string) => void unmet.delete(file);
    // zod brings its messages in fifty languages, reached through one namespace; English is a part of it anyway.
    build.onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) => (importer.includes('/zod/') ? { path: 'locales', namespace: 'nothing' } : undefined));
    build.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'export {}' }));
    // Functions ask no schema for its JSON Schema, which every schema prepares for.
    build.onLoad({ filter: /\/zod\/v4\/classic\/schemas\.js$/ }, async ({ path }) => (met('zod/v4/classic/schemas.js'), { contents: withoutJsonSchema(await readFile(path, 'utf8')) }));
    // No operation here streams events; importing that part dynamically makes esbuild wrap, and keep, all that it shares with the rest.
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ path }) => (met(path), { path: 'event-streams', namespace: 'event-streams' }));
    build.onLoad({ filter: /.*/, namespace: 'event-streams' }, () => ({ contents: 'export const resolveEventStreamSerdeConfig = (config) => config; export const eventStreamSerdeProvider = undefined;' }));
    // A namespace that is exported as a value is kept whole, one that is imported as a namespace is not.
    build.onLoad({ filter: /\/(core|aws|functions)\/[^:]*\.ts$/ }, async ({ path }) => (path.includes('/node_modules/') ? undefined : { contents: (await readFile(path, 'utf8')).replace("import { z } from 'zod'", "import * as z from 'zod'"), loader: 'ts' }));
    // The SDK's schemas use constants as keys of objects, which could have side effects: so all operations of a service would stay.
    build.onLoad({ filter: /@aws-sdk\/.*\/schemas\/schemas_\d+\.js$/ }, async ({ path }) => (met('@aws-sdk/*/schemas/schemas_*.js'), {
      contents: withErrorsOf(named, withLiteralKeys(await readFile(path, 'utf8')), await readFile(join(path, '../../models/errors.js'), 'utf8')),
    }));
    // An import of a module of Node's own makes a facade of all that it exports, and runs its getters: process and fs have slow ones.
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) => (kind === 'import-statement' ? { path, namespace: 'builtin', sideEffects: false } : undefined));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: builtin(path) }));
    // Each client reads its version from its package.json, and keeps all of it.
    build.onLoad({ filter: /@aws-sdk\/[^/]+\/package\.json$/ }, async ({ path }) => ({ contents: JSON.stringify({ version: z.object({ version: z.string() }).parse(JSON.parse(await readFile(path, 'utf8'))).version }), loader: 'json' }));
    // On Lambda a role's credentials come by the environment, and never by a profile, single sign-on or a machine's metadata.
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path, resolveDir }) => (met(path), { path: resolveDir, namespace: 'credentials' }));
    build.onLoad({ filter: /.*/, namespace: 'credentials' }, ({ path }) => ({ contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';", resolveDir: path }));
  },
};

function wordsOf(root: string): ReadonlySet<string> {
  const files = ['core', 'aws', 'functions'].flatMap((room) => readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => join(root, room, file)));
  return new Set(files.flatMap((file) => readFileSync(file, 'utf8').match(/\w+/g) ?? []));
}

function withoutJsonSchema(code: string): string {
  return without(without(code, /^ *inst\._zod\.processJSONSchema = .*;$/gm, () => ''), /^import (\{.*\}) from "\.\.\/core\/to-json-schema\.js";$/gm, (_, names) => `const ${names} = {};`);
}

/**
 * A client registers every error of its service, and CloudFront has 150 of them. One that is not registered is thrown all the same, with its code, message
 * and status, as the service's base exception; so those stay that own code names, and those that the SDK itself may repeat.
 * `getErrorSchemaOrThrowBaseException` in @aws-sdk/core's ProtocolLib.js
 */
function withErrorsOf(named: ReadonlySet<string>, schemas: string, models: string): string {
  const repeated = new Set([...models.matchAll(/class (\w+) extends [^}]*\$retryable/g)].map(([, name = '']) => name));
  return without(schemas, /^n\d+_registry\.registerError\(\w+\$, (\w+)\);$/gm, (line, name) => (named.has(name) || repeated.has(name) ? line : ''));
}

function withLiteralKeys(code: string): string {
  const constants = new Map([...code.matchAll(/^const (\w+) = ("[^"]*");$/gm)].map(([, name = '', text = '']) => [name, text]));
  return without(code, /\[(_\w+)\]: /g, (key, name) => (constants.has(name) ? `${constants.get(name)}: ` : key));
}

/** @throws where nothing matches: after an upgrade all of it would come back without a word */
function without(code: string, pattern: RegExp, by: (found: string, name: string) => string): string {
  if (code.search(pattern) === -1) throw new Error(`nothing matches ${String(pattern)} any more: the package has changed, so that deploy/build.ts takes nothing out of it. Look what it is called now.`);
  return code.replaceAll(pattern, by);
}

function builtin(path: string): string {
  const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) => /^[A-Za-z]\w*$/.test(name) && name !== 'default');
  return [`const it = /* @__PURE__ */ process.getBuiltinModule('${path}');`, 'export default it;', ...names.map((name) => `export const ${name} = /* @__PURE__ */ (() => it.${name})();`)].join('\n');
}

function madeOf(metafile: Metafile, file: string): Pick<Bundle, 'largest' | 'packages'> {
  const sizes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(metafile.outputs[file]?.inputs ?? {})) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? OWN;
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  const [first] = [...sizes].toSorted(([, one], [, other]) => other - one);
  return { largest: first ? `${first[0]} ${kilobytes(first[1])}` : '', packages: [...sizes.keys()].filter((name) => name !== OWN) };
}

const OWN = 'own code';

export function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KB`;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const bundles = [...(await buildFunctions(root)), ...(await buildShareModule(root))];
  const width = Math.max(...bundles.map(({ name }) => name.length));
  for (const { name, bytes, gzipped, largest } of bundles) {
    console.log(`${name.padEnd(width)}  ${kilobytes(bytes).padStart(8)}  ${kilobytes(gzipped).padStart(8)} gzipped  largest: ${largest}`);
  }
}
