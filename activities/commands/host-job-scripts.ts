/**
 * The fixed scripts of a job on any Linux machine: POSIX sh, `/proc`, and little else. Each is one argument of `sh -c`;
 * what it works on comes after it. Forks are what a command costs on a small machine, so the shell's own words do
 * what they can.
 *
 * A job's files have a common start, `<folder>/jobs/<digest of the key>`:
 * `.claim` a line each for a note, the pid, the boot and the process table's line of who runs it, and in the end one more
 * for its exit code; `.log` what it printed. Each of the two is written at once: one without a line break is not there yet.
 */

/** How a script ended that did not get to its end. */
export const refusals = { folder: 71, disk: 74, taken: 75, system: 77, rebooted: 78, notAllowed: 79, hangs: 80 };

/** On stderr, before what the command printed: of a long output only the end arrives. */
export const endOfStart = /(?:^|\n)holdpoint: ended (\d+)\n/;

/** `eval` keeps the text at hand, for a shell that has to begin again in a session of its own. */
export function shell(script: string, ...words: string[]): string[] {
  return ['/bin/sh', '-c', 'eval "$0"', script, ...words];
}

// Taking it succeeds for one shell only: noclobber opens with O_EXCL. Nobody begins without it.
const takeClaim = `
[ -d "\${1%/*}" ] || command -p mkdir -p -m 700 "\${1%/*}" || exit ${refusals.disk}
read -r HOLDPOINT_BOOT < /proc/sys/kernel/random/boot_id
{ read -r HOLDPOINT_MASK; read -r HOLDPOINT_MASK; } < "/proc/$$/status"
HOLDPOINT_MASK=\${HOLDPOINT_MASK##*[!0-7]}
case $HOLDPOINT_MASK in ????) ;; *) HOLDPOINT_MASK=$(umask) ;; esac
umask 077
set -C
{ command exec 3> "$1.claim"; } 2> /dev/null || { [ -e "$1.claim" ] && exit ${refusals.taken}; exit ${refusals.disk}; }
set +C
{ printf '%s\\n' "$2" "$$" "$HOLDPOINT_BOOT" "$HOLDPOINT_ROW" >&3; } 2> /dev/null ||
  { command -p rm -f "$1.claim"; exit ${refusals.disk}; }
exec 3>&-
`;

const readOwnRow = `
[ -r "/proc/$$/stat" ] || exit ${refusals.system}
read -r HOLDPOINT_ROW < "/proc/$$/stat"
`;

/**
 * $1 the files, $2 note, $3 seconds since the first attempt was due, $4 working folder, then the command. Runs it to its
 * end, whoever is still there to hear of it. Variables are HOLDPOINT's: others the command may have.
 */
export const startScript = `${readOwnRow}
HOLDPOINT_GROUP=\${HOLDPOINT_ROW##*) }
HOLDPOINT_GROUP=\${HOLDPOINT_GROUP#* * }
[ "\${HOLDPOINT_GROUP%% *}" = "$$" ] || exec /usr/bin/setsid /bin/sh -c 'eval "$0"' "$0" "$@"
[ -e "$1.claim" ] && exit ${refusals.taken}
read -r HOLDPOINT_UP HOLDPOINT_GROUP < /proc/uptime
[ "\${HOLDPOINT_UP%%.*}" -ge "$3" ] || exit ${refusals.rebooted}
cd "$4" 2> /dev/null || exit ${refusals.folder}
${takeClaim}
{ command exec 3> "$1.log"; } 2> /dev/null || { command -p rm -f "$1.claim"; exit ${refusals.disk}; }
export HOLDPOINT_CLAIM="$1.claim"
( umask "$HOLDPOINT_MASK"; shift 4; exec "$@" ) < /dev/null >&3 2>&3 3>&-
HOLDPOINT_MASK=$?
exec 3>&-
echo "$HOLDPOINT_MASK" >> "$1.claim"
echo "holdpoint: ended $HOLDPOINT_MASK" >&2
[ -s "$1.log" ] || exit 0
# A few lines the shell brings itself.
set -- "$1.log" ''
HOLDPOINT_UP=0
while IFS= read -r HOLDPOINT_ROW; do
  set -- "$1" "$2$HOLDPOINT_ROW
"
  HOLDPOINT_UP=$((HOLDPOINT_UP + 1))
  [ "$HOLDPOINT_UP" -lt 20 ] || break
done < "$1"
[ "$HOLDPOINT_UP" -lt 20 ] && { printf '%s' "$2$HOLDPOINT_ROW"; exit 0; }
[ -x /usr/bin/tail ] && exec /usr/bin/tail -c 65536 "$1"
command -p tail -c 65536 "$1"
`;

// The words of a line of /proc/<pid>/stat behind the name in brackets, which may hold anything: $1 state, $3 group,
// $18 threads, $20 start time.
const readClaim = `
base=$1 note= pid= boot= row= code= living=
read_claim() { { read -r note; read -r pid; read -r boot; read -r row; read -r code || code=; } < "$base.claim"; }
[ -e "$base.claim" ] && read_claim
read -r now < /proc/sys/kernel/random/boot_id
set -- \${row##*) }
started=\${20-}
readable=yes
[ -n "$pid" ] && [ "\${row%% *}" = "$pid" ] && [ -n "$started" ] || readable=

# Whether anybody lives in the claim's group. The kernel gives the pid to nobody else while the group has members, so a
# leader with another start time is a stranger's. Without a leader those count that carry the claim in their environment,
# or have overwritten it with a title of their own.
look() {
  living=
  [ "$readable" ] && [ "$boot" = "$now" ] || return 0
  leader=
  if { read -r row < "/proc/$pid/stat"; } 2> /dev/null; then
    set -- \${row##*) }
    [ "\${20-}" = "$started" ] || return 0
    leader=yes
    case $1 in [ZXx]) [ "\${18}" -le 1 ] || living=yes ;; *) living=yes ;; esac
    [ "$living" ] && return 0
  fi
  for file in /proc/[0-9]*/stat; do
    { read -r row < "$file"; } 2> /dev/null || continue
    set -- \${row##*) }
    [ "\${3-}" = "$pid" ] || continue
    case $1 in [ZXx]) [ "\${18}" -gt 1 ] || continue ;; esac
    [ "$leader" ] || belongs "\${file%/stat}" || continue
    living=yes
    return 0
  done
}
belongs() {
  environment=$(tr '\\0' '\\n' < "$1/environ" 2> /dev/null)
  case $environment in *=*) ;; *) return 0 ;; esac
  printf '%s\\n' "$environment" | grep -qxF "HOLDPOINT_CLAIM=$base.claim"
}
`;

/** $1 the files. Prints on stderr what there is (none, unreadable, running, over), the exit code and the note. */
export const lookScript = `${readClaim}
if [ ! -e "$base.claim" ]; then state=none
elif [ ! "$readable" ]; then state=unreadable
elif [ "$code" ]; then state=over
else
  look
  state=running
  # Read again: whoever is dead now has written it before, or never will.
  [ "$living" ] || { state=over; read_claim; }
fi
printf '%s\\n' "holdpoint: $state \${code:--}" "$note" >&2
[ "$state" = over ] && [ -s "$base.log" ] && exec tail -c 65536 "$base.log"
exit 0
`;

/**
 * $1 the files, $2 a note. SIGTERM to the group, 5 s, SIGKILL; returns once nobody lives in it. Where nobody began,
 * nobody will: the claim is taken.
 */
export const endScript = `${readOwnRow}
( ${takeClaim} ) && exit 0
${readClaim}
[ "$readable" ] || exit ${refusals.taken}
gone() {
  left=$1
  while look; [ "$living" ]; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.1
  done
}
gone 0 && exit 0
kill -s TERM -- "-$pid" 2> /dev/null
gone 50 && exit 0
kill -s KILL -- "-$pid" || { gone 0 && exit 0; exit ${refusals.notAllowed}; }
gone 100 || exit ${refusals.hangs}
`;

/** $1 the files. The claim goes last: whoever finds it finds all. */
export const forgetScript = `${readClaim}
look
[ "$living" ] && { echo "$pid"; exit ${refusals.taken}; }
exec rm -f "$base.log" "$base.claim"
`;
