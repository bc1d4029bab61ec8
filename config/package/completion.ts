import type { Described } from './described.ts';

/** Completion for bash: commands, what is below them, their options, and then files. */
export function bashCompletion([program, ...commands]: readonly Described[]): string {
  if (!program) throw new Error('there is no program to describe');
  const everywhere = program.options.flatMap(({ names }) => names);
  const groups = program.below.filter((name) => !commands.some((command) => command.name === name));
  const groupCases = groups.map((group) => {
    const names = commands.map(({ name }) => name.split(' ')).filter(([first]) => first === group);
    return `    ${group}) words="${names.map(([, second]) => second).join(' ')}" ;;`;
  });
  const optionCases = commands.map(
    ({ name, options }) => `    '${name}') words="${options.flatMap(({ names }) => names).join(' ')}" ;;`,
  );
  return `# bash completion for trainlogd, made from its own --help
# One name a line: it may have spaces and what a shell expands.
_trainlogd_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
}
_trainlogd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words= first= second= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    # Behind it stands a command with completions of its own.
    [[ $word == -- ]] && { _trainlogd_files "$cur"; return; }
    [[ $word == -* ]] && continue
    if [[ -z $first ]]; then first=$word; elif [[ -z $second ]]; then second=$word; fi
  done
  case $prev in
    --config | --env-file) _trainlogd_files "$cur"; return ;;
    --log-level) COMPREPLY=($(compgen -W 'error warn info debug' -- "$cur")); return ;;
  esac
  if [[ -z $first ]]; then
    COMPREPLY=($(compgen -W '${[...program.below, ...everywhere].join(' ')}' -- "$cur"))
    return
  fi
  if [[ $cur != -* && -z $second ]]; then
    case $first in
${groupCases.join('\n')}
    esac
    [[ -n $words ]] && { COMPREPLY=($(compgen -W "$words" -- "$cur")); return; }
  fi
  [[ $cur != -* ]] && { _trainlogd_files "$cur"; return; }
  case $first in
    ${groups.join(' | ')}) first="$first $second" ;;
  esac
  case $first in
${optionCases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words ${everywhere.join(' ')}" -- "$cur"))
}
complete -o filenames -F _trainlogd trainlogd
`;
}
