import type { CompletedCommand } from './tree.ts';

/** A script for `source <(holdpoint completion bash)`. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# Completion of holdpoint for bash: source <(holdpoint completion bash)
_holdpoint() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...commands.map(({ name }) => name), 'help', '--help', '--version'].join(' ')}"
  else
    case "\${COMP_WORDS[1]} $previous" in
${commands.flatMap(valueCases).join('\n')}
    *)
      case "\${COMP_WORDS[1]}" in
${commands.map(optionCase).join('\n')}
      esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _holdpoint holdpoint
`;
}

function valueCases({ name, options }: CompletedCommand): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, choices }) => {
      const patterns = flags.map((flag) => `"${name} ${flag}"`).join(' | ');
      return `    ${patterns}) words="${choices.join(' ')}" ;;`;
    });
}

function optionCase({ name, options, choices }: CompletedCommand): string {
  return `      ${name}) words="${[...choices, ...options.flatMap(({ flags }) => flags)].join(' ')}" ;;`;
}
