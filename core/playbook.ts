import { type EventPattern, parsePattern } from './event-pattern.ts';
import { PREDICATE_NAMES, type PredicateName } from './decide/names.ts';
import type { Json } from './bucket.ts';
import { z } from 'zod';

const modes = ['observe', 'approve', 'contain'] as const;
const kinds = ['bucket', 'object', 'account', 'principal', 'trail', 'link', 'album', 'owner', 'other'] as const;
const name = z.string().regex(/^[a-z][a-z0-9-]{0,47}$/, 'must be lower-case-with-dashes');
const prose = z.string().min(1);

const TriggerSchema = z.strictObject({
  name,
  /** An EventBridge pattern: deployed as a rule and evaluated by triage, the same text. */
  pattern: z.record(z.string(), z.json()),
  /** What the pattern language cannot say; all must hold, each for the target in question. */
  when: z.array(z.enum(PREDICATE_NAMES)).min(1).optional(),
  /** Which kinds of target it may act on; the playbook's unless told. */
  targets: z.array(z.enum(kinds)).min(1).optional(),
  mode: z.enum(modes),
  inputs: z.record(z.string(), z.json()).optional(),
  /** GuardDuty's scale; a finding brings its own. */
  severity: z.number().min(1).max(10).optional(),
  /** Another playbook that this trigger recommends: for one whose folder does not exist yet. */
  playbook: name.optional(),
  /** Opens nothing: where an incident of this playbook stands on the target, what it contained was undone, and it is contained again. */
  again: z.literal(true).optional(),
  /** One sentence for a responder: what has happened. */
  why: prose,
});

/** One input of a playbook: what a responder may say on the command line, and a trigger in its `inputs`. */
const InputSchema = z.strictObject({
  description: prose,
  /** `list`: texts, separated by commas on the command line. `instant`: ISO 8601 with its offset. `arn`: of something in an account. */
  type: z.enum(['text', 'list', 'instant', 'arn']).default('text'),
  /** The only values there are, each with what it means. */
  values: z.record(z.string(), prose).optional(),
  default: z.json().optional(),
  example: prose.optional(),
  /** The input names what the playbook acts on: a start by hand gives exactly one such input. */
  target: z.enum(kinds).optional(),
  /** The playbook acts on what is in it and leaves the thing itself alone: that is another target, so that another playbook may hold the thing meanwhile. */
  contents: z.boolean().default(false),
  /** Says something only together with one of these inputs. */
  with: z.array(z.string()).min(1).optional(),
  /** Contradicts these inputs: only one of them may be given. */
  without: z.array(z.string()).min(1).optional(),
  /** Says which part of the target is acted on. Another part is another target: each has its own incident, and its own restore. */
  narrows: z.boolean().default(false),
  /** Must be given wherever it may be given. */
  required: z.boolean().default(false),
});

/** What a playbook may change, by the setting's name in plan and ledger: `policy`, `key:*`. */
const ChangeSchema = z.strictObject({
  what: prose,
  /** IAM actions of the function that applies: what makes the change, and what takes it back. */
  does: z.array(z.string()).min(1),
  undo: z.array(z.string()).min(1),
  /** In words: what comes back, and what does not. */
  undoes: prose,
});

/** `workflows/<name>/playbook.json`. Unknown keys are errors. */
export const PlaybookSchema = z.strictObject({
  $schema: z.string().optional(),
  title: prose,
  description: prose,
  /** Which kinds of target it acts on. */
  targets: z.array(z.enum(kinds)).min(1),
  defaultMode: z.enum(modes),
  /** MITRE ATT&CK techniques: `T1530`. */
  attack: z.array(z.string().regex(/^T\d{4}(\.\d{3})?$/, 'must be an ATT&CK technique: T1530 or T1562.008')),
  inputs: z.record(z.string(), InputSchema),
  triggers: z.array(TriggerSchema),
  /** Everything that it may change; a drill fails where its ledger says otherwise. */
  changes: z.record(z.string(), ChangeSchema).default({}),
  /** What it never touches, for who has to trust it. */
  never: z.array(prose).default([]),
  /** What a reader of the docs should know beside: limits, consequences. */
  notes: z.array(prose).default([]),
});

export type PlaybookInput = Readonly<z.infer<typeof InputSchema>>;

export interface Trigger {
  readonly name: string;
  readonly pattern: { readonly [key: string]: Json };
  readonly matcher: EventPattern;
  readonly when: readonly PredicateName[];
  readonly targets: readonly (typeof kinds)[number][];
  readonly mode: (typeof modes)[number];
  readonly inputs: { readonly [key: string]: Json };
  readonly severity: number | null;
  /** The playbook that it recommends. */
  readonly playbook: string;
  /** Opens nothing; says that what the playbook contained was undone. */
  readonly again: boolean;
  readonly why: string;
}

export interface Playbook extends Omit<Readonly<z.infer<typeof PlaybookSchema>>, 'triggers' | '$schema'> {
  /** Its folder's name. */
  readonly name: string;
  readonly triggers: readonly Trigger[];
}

/** The declared change that a setting of a ledger is; `undefined` where the playbook says nothing of it. */
export function declaredChange({ changes }: Pick<Playbook, 'changes'>, setting: string): string | undefined {
  return Object.keys(changes).find((name) => name === setting || (name.endsWith('*') && setting.startsWith(name.slice(0, -1))));
}

/** For editors: `$schema` in a playbook.json. */
export function playbookJsonSchema(): object {
  return z.toJSONSchema(PlaybookSchema, { io: 'input' });
}

/** A playbook.json that is not one. Names the folder and the field. */
export class PlaybookError extends Error {
  override readonly name = 'PlaybookError';
}

/**
 * Read the playbook.json of a folder.
 *
 * @param folder - the folder's name, which is the playbook's
 * @param document - the file's JSON, parsed
 * @throws {PlaybookError} where it is not one, or a pattern in it is none
 */
export function readPlaybook(folder: string, document: unknown): Playbook {
  const parsed = PlaybookSchema.safeParse(document);
  if (!parsed.success) throw new PlaybookError(`workflows/${folder}/playbook.json: ${z.prettifyError(parsed.error)}`);
  const { $schema: _, triggers, ...playbook } = parsed.data;
  const names = triggers.map((trigger) => trigger.name);
  const twice = names.find((entry, index) => names.indexOf(entry) !== index);
  if (twice !== undefined) throw new PlaybookError(`workflows/${folder}/playbook.json: two triggers are named ${twice}`);
  return {
    ...playbook,
    name: folder,
    triggers: triggers.map((trigger) => ({
      name: trigger.name,
      pattern: trigger.pattern,
      matcher: matcherOf(folder, trigger),
      when: trigger.when ?? [],
      targets: trigger.targets ?? playbook.targets,
      mode: trigger.mode,
      inputs: trigger.inputs ?? {},
      severity: trigger.severity ?? null,
      playbook: trigger.playbook ?? folder,
      again: trigger.again ?? false,
      why: trigger.why,
    })),
  };
}

function matcherOf(folder: string, trigger: z.infer<typeof TriggerSchema>): EventPattern {
  try {
    return parsePattern(trigger.pattern);
  } catch (cause) {
    throw new PlaybookError(`workflows/${folder}/playbook.json: the pattern of trigger ${trigger.name} is not one`, { cause });
  }
}
