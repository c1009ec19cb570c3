/** Runs one `stopbath` command line and tells its parent what it took: `node bench/audit/verb.ts <args>`. */
import { run } from '../../cli/main.ts';

export interface Took {
  readonly exit: number;
  readonly seconds: number;
  /** The most memory it ever had, 10^6 bytes. */
  readonly megabytes: number;
}

if (import.meta.main) {
  const start = performance.now();
  const exit = await run(process.argv.slice(2));
  const took: Took = { exit, seconds: (performance.now() - start) / 1000, megabytes: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6) };
  process.send?.(took, () => process.exit(exit));
}
