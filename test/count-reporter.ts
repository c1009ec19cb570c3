import type { Reporter, TestModule } from 'vitest/node';

/** Closes a run with `N passed, N failed` alone on a line, from the runner's own count. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const count = (state: string) => states.filter((entry) => entry === state).length;
    // A file that does not load has no tests to count, but it did fail.
    const broken = modules.filter((module) => module.state() === 'failed' && [...module.children.allTests('failed')].length === 0).length;
    const skipped = count('skipped');
    process.stdout.write(`\n${count('passed')} passed, ${count('failed') + broken + errors.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}
