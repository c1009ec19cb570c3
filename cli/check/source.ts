import { LineCounter, parseDocument, isNode } from 'yaml';
import { parseYaml } from '../../deploy/yaml.ts';
import type { Problem, Report, Rule } from './problem.ts';
import type { Tree } from './tree.ts';

export type Path = readonly (string | number)[];

/** A JSON or YAML file, parsed, that knows where each of its values stands. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** `undefined` where it cannot be parsed: then a problem says so. */
  readonly value: unknown;
  /** Where a value stands; where there is none, the nearest value around it. */
  readonly at: (path: Path) => { readonly line: number; readonly column: number };
  /** Where a text stands for the first time; the beginning where it does not. */
  readonly find: (text: string) => { readonly line: number; readonly column: number };
  readonly report: Report;
}

/** @returns `null` where there is no such file, which is reported as `rule` */
export function readSource(tree: Tree, file: string, rule: Rule, problems: Problem[]): Source | null {
  const report: Report = ({ line, column }, which, message) => void problems.push({ file, line, column, rule: which, message });
  const text = tree.read(file);
  if (text === null) {
    report(START, rule, 'there is no such file: write it');
    return null;
  }
  const positions = once(() => {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
    const place = (offset: number) => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    };
    return { document, place };
  });
  const source: Omit<Source, 'value'> = {
    file,
    text,
    at: (path) => {
      const { document, place } = positions();
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return place(node.range[0]);
      }
      return START;
    },
    find: (words) => {
      const before = text.slice(0, Math.max(text.indexOf(words), 0));
      return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
    },
    report,
  };
  return { ...source, value: parsed(file, text, positions, report) };
}

const START = { line: 1, column: 1 };

interface Positions {
  readonly document: ReturnType<typeof parseDocument>;
  readonly place: (offset: number) => typeof START;
}

function parsed(file: string, text: string, positions: () => Positions, report: Report): unknown {
  try {
    // JSON is YAML; its parser knows where everything stands, and notices keys that stand twice, which is asked where states and triggers are.
    if (/\/(?:workflow\.asl|playbook)\.json$/.test(file)) {
      const { document, place } = positions();
      for (const { pos, message } of document.errors) report(place(pos[0]), 'json', message.split('\n', 1).join('').replace(/ at line \d+, column \d+:?$/, ''));
      if (document.errors.length > 0) return undefined;
    }
    return file.endsWith('.json') ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const [, line, column] = /line (\d+),? column (\d+)/.exec(String(error)) ?? [];
    report(line === undefined ? START : { line: Number(line), column: Number(column) }, 'json', error instanceof Error ? error.message.split('\n', 1).join('') : String(error));
    return undefined;
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** `/States/Plan/Catch[0]/Next` → `['States', 'Plan', 'Catch', 0, 'Next']`; state names may hold anything but a slash. */
export function pathOf(location: string): Path {
  return location
    .split('/')
    .filter((part) => part !== '')
    .flatMap((part): Path => {
      const [, name = part, index] = /^(.*)\[(\d+)\]$/.exec(part) ?? [];
      return index === undefined ? [name] : [name, Number(index)];
    });
}

/** The text that a value is; empty where it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
