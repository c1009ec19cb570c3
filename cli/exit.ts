/** What the process ends with. Every verb's `--help` shows these. */
export const EXIT = {
  ok: 0,
  /** The answer is no: an expectation did not hold, there is no such incident, the suite declined. */
  no: 1,
  /** The command line, a file or a variable is not what the verb takes. */
  usage: 2,
  /** AWS or the sandbox did not answer, or answered with a failure of its own. */
  unreachable: 3,
  /** It answered, and whoever signed may not do this. */
  refused: 4,
  /** The record is intact, and was sealed later than it should have been. */
  late: 5,
  /** A fault of Stopbath itself. */
  bug: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  ${EXIT.ok}   done, and every expectation held
  ${EXIT.no}   the answer is no: an expectation failed, no such incident, not possible now
  ${EXIT.usage}   wrong command line, file or variable
  ${EXIT.unreachable}   AWS or the sandbox did not answer
  ${EXIT.refused}   it answered that you may not do this
  ${EXIT.late}   the record is intact, and was sealed later than it should have been (verify)
  ${EXIT.bug}  a fault of Stopbath itself`;

/** A failure that a person can do something about: printed as one line, never with a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: ExitCode;
  /** What the suite answered beside the reason. */
  readonly answer: unknown;

  /** @param message - what is wrong, naming field and value, and what to do next */
  constructor(code: ExitCode, message: string, options?: ErrorOptions & { readonly answer?: unknown }) {
    super(message, options);
    this.code = code;
    this.answer = options?.answer;
  }
}
