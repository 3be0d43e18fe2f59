/**
 * The only scripts that are run on a machine; everything that changes is a word or comes over stdin. They are for any
 * POSIX shell, and fork nothing before the command.
 */

/** Begins a line on stderr that is Holdpoint's own: followed by the process id, or by why nothing was begun. */
export const mark = '\u0001holdpoint';

const demand = `
case "$1" in
  */*) [ -x "$1" ] && [ ! -d "$1" ] ;;
  *) command -v "$1" >/dev/null 2>&1 ;;
esac`;

/** $1 a command: whether there is one. */
export const isCommand = demand;

/**
 * $1 the folder or nothing, $2 `env` or nothing, then the command, which becomes this very process. Variables come over
 * stdin, so that no list of processes shows them: a line with the name, one with the number of the value's lines, the
 * value; a dot ends them. Stdin is then the command's. Where it ends before the dot, nothing is run.
 */
export const begin = `
if [ -n "$1" ]; then cd -- "$1" 2>/dev/null || { echo "${mark} folder" >&2; exit 125; }; fi
if [ -n "$2" ]; then
  IFS= read -r __holdpoint_name || exit 125
  while [ "$__holdpoint_name" != . ]; do
    IFS= read -r __holdpoint_lines && IFS= read -r __holdpoint_value || exit 125
    while [ "$__holdpoint_lines" -gt 1 ]; do
      IFS= read -r __holdpoint_line || exit 125
      __holdpoint_value="$__holdpoint_value
$__holdpoint_line"
      __holdpoint_lines=$((__holdpoint_lines - 1))
    done
    export "$__holdpoint_name=$__holdpoint_value" || exit 125
    IFS= read -r __holdpoint_name || exit 125
  done
fi
shift 2
${demand} || { echo "${mark} command" >&2; exit 127; }
echo "${mark} $$" >&2
exec "$@"
`;

/** $1 the group: SIGTERM, and SIGKILL for who is still there after two seconds. */
export const endGroup = `
kill -s TERM -- "-$1" 2>/dev/null || exit 0
i=0
while [ "$i" -lt 20 ]; do
  kill -s 0 -- "-$1" 2>/dev/null || exit 0
  sleep 0.1 2>/dev/null || sleep 1
  i=$((i + 1))
done
kill -s KILL -- "-$1" 2>/dev/null
exit 0
`;

/** $1 a file: its size and its own number, as GNU and busybox tell them, else as BSD does. 44: there is none. */
export const statFile = `
[ -e "$1" ] || exit 44
stat -L -c '%s %i' -- "$1" 2>/dev/null || stat -L -f '%z %i' -- "$1"
`;

/** $1 a file: its SHA-256. */
export const sha256 = `
if command -v sha256sum >/dev/null 2>&1; then sha256sum < "$1"; else shasum -a 256 < "$1"; fi
`;

/** $1 a socket that nobody answered on: why, as the exit code. */
export const whyNoSocket = `
[ -e "$1" ] || exit 44
[ -r "$1" ] && [ -w "$1" ] || exit 45
exit 46
`;
