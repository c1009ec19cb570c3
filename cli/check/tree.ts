import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's files, by their paths from its root. */
export interface Tree {
  readonly root: string;
  /** `null` where there is no such file. */
  readonly read: (path: string) => string | null;
  /** Names in a folder, in order; none where there is no such folder. */
  readonly list: (folder: string) => readonly string[];
}

/**
 * @param instead - texts that stand in for files: what they would say after a change; `null`: as if the file were gone
 */
export function treeOf(root: string, instead: ReadonlyMap<string, string | null> = new Map()): Tree {
  return {
    root,
    read: (path) => {
      const other = instead.get(path);
      return other === undefined ? readOr(join(root, path)) : other;
    },
    list: (folder) => {
      const inside = [...instead].filter(([path]) => path.startsWith(`${folder}/`)).map(([path, text]) => ({ rest: path.slice(folder.length + 1), text }));
      const gone = new Set(inside.filter(({ text }) => text === null).map(({ rest }) => rest));
      const there = inside.filter(({ text }) => text !== null).map(({ rest }) => rest.split('/', 1).join(''));
      return [...new Set([...namesIn(join(root, folder)).filter((name) => !gone.has(name)), ...there])].toSorted();
    },
  };
}

function readOr(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
