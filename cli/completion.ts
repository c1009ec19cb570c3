import { Argument, type Command } from 'commander';
import { listIncidents } from './api.ts';
import { say } from './terminal.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `stopbath completion <shell>`: prints what to source; `stopbath complete -- <words>`: what the shell asks while somebody types. */
export function register(program: Command): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', '\nExample:\n  $ source <(stopbath completion bash)\n  $ stopbath completion fish > ~/.config/fish/completions/stopbath.fish')
    .action((shell: Shell) => say(SCRIPTS[shell]));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const found = candidates(program, words);
      say(...(found === 'incidents' ? await incidentIds(words.at(-1) ?? '') : found));
    });
}

/**
 * What may come next on a command line.
 *
 * @param words - after `stopbath`; the last is the one that is being typed, perhaps empty
 * @returns `incidents` where it is the id of one
 */
export function candidates(program: Command, words: readonly string[]): readonly string[] | 'incidents' {
  const typed = words.at(-1) ?? '';
  let command = program;
  let place = 0;
  let option: Command['options'][number] | undefined;
  for (const word of words.slice(0, -1)) {
    if (option) {
      option = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      option = command.options.find((known) => known.long === word && known.required);
      continue;
    }
    const next = command.commands.find((known) => known.name() === word);
    if (next) command = next;
    else place++;
  }
  const matching = (all: readonly string[]) => all.filter((text) => text.startsWith(typed));
  if (option) return matching(option.long === '--as' ? ['rosa', 'ravi', 'ada'] : (option.argChoices ?? []));
  if (typed.startsWith('-')) return matching([...command.options.flatMap(({ long }) => long ?? []), '--help']);
  if (command.commands.length > 0) return matching(command.createHelp().visibleCommands(command).filter((known) => command.commands.includes(known)).map((known) => known.name()));
  const argument = command.registeredArguments[place];
  return argument?.name() === 'incident' ? 'incidents' : matching(argument?.argChoices ?? []);
}

/** A shell that completes must say nothing where nobody answers. */
async function incidentIds(typed: string): Promise<readonly string[]> {
  try {
    return (await listIncidents('open', {})).map(({ id }) => id).filter((id) => id.startsWith(typed));
  } catch {
    return [];
  }
}

/** To be sourced; each asks `stopbath complete` while somebody types. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_stopbath() {
  local IFS=$'\\n'
  COMPREPLY=($(stopbath complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _stopbath stopbath`,
  zsh: `#compdef stopbath
_stopbath() {
  local -a found
  found=(\${(f)"$(stopbath complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _stopbath stopbath`,
  fish: `complete -c stopbath -f -a '(stopbath complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
};
