/**
 * Bundles each function into `dist/<name>/handler.mjs`, alone and minified, and prints how large it became.
 *
 *     node deploy/build.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile, type Plugin } from 'esbuild';
import { foldersOf } from './stack.ts';

export interface Bundle {
  readonly name: string;
  readonly bytes: number;
  readonly gzipped: number;
  /** What takes the most room in it: package and bytes. */
  readonly largest: string;
}

/** ESM has no `require`, and some dependencies still ask for it. */
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/**
 * @param root - the repository's folder
 * @param names - functions to bundle; all unless told
 */
export async function buildFunctions(root: string, names = foldersOf(join(root, 'functions'))): Promise<readonly Bundle[]> {
  return await Promise.all(names.map((name) => bundle(root, name)));
}

/** What a share service imports: `dist/share-links.mjs`, which brings everything but the AWS SDK that the service has anyway. */
export async function buildShareModule(root: string): Promise<Bundle> {
  return await bundle(root, 'share-links', join(root, 'aws/share-links.ts'), join(root, 'dist/share-links.mjs'), ['@aws-sdk/*']);
}

async function bundle(root: string, name: string, entry = join(root, 'functions', name, 'handler.ts'), outfile = join(root, 'dist', name, 'handler.mjs'), external: string[] = []): Promise<Bundle> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
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
    plugins: [withoutLocales],
  });
  writeFileSync(outfile.replace(/[^/.]+\.mjs$/, 'meta.json'), JSON.stringify(metafile));
  const code = readFileSync(outfile);
  return { name, bytes: code.length, gzipped: gzipSync(code).length, largest: largestOf(metafile) };
}

/** zod brings its messages in fifty languages, reached through one namespace that no bundler can shake; English is a part of it anyway. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup: (build) => {
    build.onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) => (importer.includes('/zod/') ? { path: 'locales', namespace: 'nothing' } : undefined));
    build.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'export {}' }));
  },
};

function largestOf(metafile: Metafile): string {
  const sizes = new Map<string, number>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'own code';
      sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
    }
  }
  const [first] = [...sizes].toSorted(([, one], [, other]) => other - one);
  return first ? `${first[0]} ${kilobytes(first[1])}` : '';
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KB`;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const bundles = [...(await buildFunctions(root)), await buildShareModule(root)];
  const width = Math.max(...bundles.map(({ name }) => name.length));
  for (const { name, bytes, gzipped, largest } of bundles) {
    console.log(`${name.padEnd(width)}  ${kilobytes(bytes).padStart(8)}  ${kilobytes(gzipped).padStart(8)} gzipped  largest: ${largest}`);
  }
}
