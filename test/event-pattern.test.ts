import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matchesPattern, parsePattern } from '../core/event-pattern.ts';

const recorded = new URL('../../shared/corpora/event-patterns/localstack.jsonl', import.meta.url);

describe('the pattern matcher', () => {
  it('agrees with the verdicts recorded from AWS', () => {
    if (!existsSync(recorded)) {
      process.stdout.write('event-pattern: the recorded AWS verdicts were not run, ../shared/corpora is absent\n');
      return;
    }
    for (const line of readFileSync(recorded, 'utf8').trim().split('\n')) {
      const row = JSON.parse(line);
      expect({ id: row.id, ...verdict(row.pattern, row.event) }).toEqual({ id: row.id, verdict: row.expected, error: row.aws_error });
    }
  });
});

function verdict(pattern: unknown, event: unknown): { readonly verdict: string; readonly error?: string } {
  try {
    return { verdict: matchesPattern(parsePattern(pattern), event) ? 'match' : 'no_match' };
  } catch (error) {
    return { verdict: 'exception', error: error instanceof Error ? error.message : String(error) };
  }
}
