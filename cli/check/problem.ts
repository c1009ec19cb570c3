/** One thing that a reviewer would say, and where. Lines and columns count from 1. */
export interface Problem {
  /** From the root of the repository. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rule: Rule;
  /** What is wrong, with the value, and what to do. */
  readonly message: string;
}

/** What is looked at, with what it asks for. */
export const RULES = {
  json: 'the file is JSON, and says nothing twice',
  asl: 'the workflow is valid ASL: fields, transitions, reachable states, known resources',
  jsonata: 'every JSONata expression parses and can work in Step Functions',
  names: 'states are Title Case imperatives, Choices are questions',
  retry: 'every Task is tried again for what is transient',
  catch: 'every Task catches everything, and what it catches ends on record',
  timeout: 'every Task, every wait for a token and the workflow itself have a time-out',
  placeholder: 'every placeholder stands for something, and no ARN or account is written out',
  playbook: 'playbook.json is one',
  trigger: 'every trigger can match an event that AWS sends',
  overlap: "no trigger shadows or ties with another playbook's",
  undo: 'every change is declared with its undo, and its undo is written before the act',
  permissions: 'roles allow what is done, nothing else and nothing for everybody, and plan and verify change nothing',
  scenario: 'scenarios can be read, name states that there are, and visit every state; one of them restores',
  registration: 'serverless.yml lists the folders, and each function is called as its folder',
  docs: 'the page of the playbook says what its folder says, and it is said what it never touches',
} as const;
export type Rule = keyof typeof RULES;

/** A problem at a place of a file. */
export type Report = (at: { readonly line: number; readonly column: number }, rule: Rule, message: string) => void;
