import type { CompletedCommand, CompletedOption } from './tree.ts';

/** A script for a file `_holdpoint` on zsh's fpath, or for `source <(holdpoint completion zsh)`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef holdpoint
# Completion of holdpoint for zsh: source <(holdpoint completion zsh)
_holdpoint() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, description }) => `      '${name}:${description}'`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [ "$funcstack[1]" = _holdpoint ]; then _holdpoint "$@"; else compdef _holdpoint holdpoint; fi
`;
}

function commandCase({ name, options, choices }: CompletedCommand): string {
  const values = choices.length > 0 ? [`'1:value:(${choices.join(' ')})'`] : [];
  return `    ${name}) _arguments ${[...options.flatMap(specs), ...values].join(' ')} ;;`;
}

function specs({ flags, description, takesValue, choices }: CompletedOption): string[] {
  const value = takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : '';
  return flags.map((flag) => `'${flag}[${description}]${value}'`);
}
