import { type CommandSpec, everyCommand, type FlagSpec, formsOf, oneLine, quoted, type ValueSpec } from './model.ts';

/**
 * Completion for bash 4 and newer, without the bash-completion package: tables made from the tree, and one function that
 * reads them. Descriptions are shown when there is more than one candidate, as far as the terminal is wide.
 */
export function bashCompletion(root: CommandSpec): string {
  const name = root.name;
  const every = everyCommand(root);
  const words = every.map(({ path, command, flags }) => {
    const commands = command.commands.map((child) => entry(child.name, child.summary));
    const options = flags.flatMap((flag) => formsOf(flag).map((form) => entry(form, flag.doc)));
    return `    ${quoted(path)})\n      commands=(${list(commands)})\n      flags=(${list(options)})\n      ;;`;
  });
  const values = every.flatMap(({ path, flags }) =>
    flags
      .filter((flag) => flag.value !== undefined)
      .map((flag) => `    ${patterns(path, flag)}) ${action(flag.value)} ;;`),
  );
  const taking = every.flatMap(({ path, flags }) =>
    flags.filter((flag) => flag.value !== undefined && !flag.optional).map((flag) => patterns(path, flag)),
  );
  const positions = every.flatMap(({ path, command }) =>
    command.arguments.map((argument, index) => {
      const pattern = argument.variadic ? `${quoted(`${path}:`)}*` : quoted(`${path}:${index}`);
      return `    ${pattern}) ${action(argument.value)} ;;`;
    }),
  );
  return `# bash completion for ${name}; made by \`${name} completion bash\`, do not edit

_${name}_tables() {
  case $1 in
${words.join('\n')}
  esac
}

_${name}_takes_value() {
  case "$1:$2" in
    ${taking.join(' | \\\n    ')}) return 0 ;;
  esac
  return 1
}

# What may follow a flag: fills candidates, or says in files that the shell knows better.
_${name}_value() {
  case "$1:$2" in
${values.join('\n')}
    *) return 1 ;;
  esac
}

_${name}_position() {
  case "$1:$2" in
${positions.length === 0 ? '' : `${positions.join('\n')}\n`}    *) return 1 ;;
  esac
}

_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local path='' position=0 index word files='' flags=() commands=() candidates=()
  COMPREPLY=()
  # "--flag=value" arrives as three words, since = breaks words.
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi

  _${name}_tables ''
  local only_words=''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ -n $only_words ]]; then ((position++)); continue; fi
    case $word in
      --) only_words=1; continue ;;
      =) ((index++)); continue ;;
      -*)
        if [[ \${COMP_WORDS[index + 1]} != = ]] && _${name}_takes_value "$path" "$word"; then ((index++)); fi
        continue ;;
    esac
    local child found=''
    if ((position == 0)); then
      for child in "\${commands[@]}"; do
        if [[ \${child%%$'\\t'*} == "$word" ]]; then found=1; break; fi
      done
    fi
    if [[ -n $found ]]; then
      path=\${path:+$path }$word
      _${name}_tables "$path"
    else
      ((position++))
    fi
  done

  if [[ -z $only_words && $prev == -* ]] && _${name}_value "$path" "$prev"; then
    :
  elif [[ -z $only_words && $cur == -* ]]; then
    candidates=("\${flags[@]}")
  elif ((position == 0 && \${#commands[@]} > 0)); then
    candidates=("\${commands[@]}")
  else
    _${name}_position "$path" "$position" || return 0
  fi

  if [[ $files == directories ]]; then compopt -o dirnames; return 0; fi
  if [[ $files == files ]]; then compopt -o default; return 0; fi

  local matching=() width=0 text
  for word in "\${candidates[@]}"; do
    text=\${word%%$'\\t'*}
    [[ $text == "$cur"* ]] || continue
    matching+=("$word")
    ((\${#text} > width)) && width=\${#text}
  done
  compopt -o nosort 2>/dev/null
  # Menu completion (37) and insert-all (42) put the candidates on the line as they are.
  if ((\${#matching[@]} == 1 || COMP_TYPE == 37 || COMP_TYPE == 42)); then
    COMPREPLY=("\${matching[@]%%$'\\t'*}")
    return 0
  fi
  for word in "\${matching[@]}"; do
    text=\${word%%$'\\t'*}
    if [[ $word == *$'\\t'?* ]]; then
      printf -v text "%-\${width}s  (%s)" "$text" "\${word#*$'\\t'}"
      ((\${#text} >= \${COLUMNS:-80})) && text="\${text:0:\${COLUMNS:-80}-2}…"
    fi
    COMPREPLY+=("$text")
  done
}

complete -F _${name} ${name}
`;
}

function entry(word: string, doc: string): string {
  return quoted(`${word}\t${oneLine(doc)}`);
}

function list(entries: readonly string[]): string {
  return entries.length === 0 ? '' : `\n        ${entries.join('\n        ')}\n      `;
}

function patterns(path: string, flag: FlagSpec): string {
  return formsOf(flag)
    .map((form) => quoted(`${path}:${form}`))
    .join(' | ');
}

function action(value: ValueSpec | undefined): string {
  if (value !== undefined && value.choices.length > 0) return `candidates=(${value.choices.map(quoted).join(' ')})`;
  if (value !== undefined && value.files !== 'none') return `files=${value.files}`;
  return ':';
}
