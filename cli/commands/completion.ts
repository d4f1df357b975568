import type { Command } from 'commander';
import { type Cli, CommandError } from '../cli.ts';

/** `completion bash|zsh|fish` */
export function registerCompletion(command: Command, cli: Cli): void {
  command
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', EXAMPLES)
    .action((shell: string) => {
      const script = SCRIPTS.get(shell);
      if (script === undefined) {
        throw new CommandError(`error: no completion for "${shell}": there are bash, zsh and fish`);
      }
      cli.terminal.out(script);
    });
}

const EXAMPLES = `
Examples:
  source <(b8sctl completion bash)      in ~/.bashrc
  source <(b8sctl completion zsh)       in ~/.zshrc
  b8sctl completion fish > ~/.config/fish/completions/b8sctl.fish`;

/** Bash parts words at "=": `--for=x` comes as three of them, and is put together by complete.ts. */
const BASH = `# b8sctl completion for bash
_b8sctl() {
  local IFS=$'\\n' current="\${COMP_WORDS[COMP_CWORD]}" found
  found="$(b8sctl __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)"
  [[ "$current" == "=" ]] && current=
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[/=] ]] && compopt -o nospace
  return 0
}
complete -o default -F _b8sctl b8sctl
`;

const ZSH = `#compdef b8sctl
_b8sctl() {
  local -a candidates
  candidates=("\${(@f)$(b8sctl __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then compadd -- $candidates; else _files; fi
}
if [[ "$funcstack[1]" = _b8sctl ]]; then _b8sctl "$@"; else compdef _b8sctl b8sctl; fi
`;

const FISH = `# b8sctl completion for fish
function __b8sctl_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (b8sctl __complete $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c b8sctl -f -a '(__b8sctl_complete)'
`;

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH],
]);
