/**
 * The only scripts that are run on a machine, for any POSIX shell; everything that changes is a word, and what may hold
 * secrets comes over stdin. Each begins with $1 `sudo` or nothing, $2 the unit, $3 the path of its link.
 */
import { ended, prelude } from './prelude.ts';

export const lookScript = `${prelude}
look
`;

/** Ends what switchScript reads; to systemd it is a comment. */
export const wholeLine = '# whole';

/**
 * $4 and $5 what was seen, $6 the marker, $7 the release's folder, $8 `start`, `reload` or `none`; stdin: the variables.
 * A start leaves the marker after the link: whatever starts from here on is the new one. A reload leaves it before: what
 * runs is the old one until it has been told.
 */
export const switchScript = `${prelude}
mkdir -p -- "\${base%/*}" 2>/dev/null
mine=$base.env.$$
trap 'rm -f -- "$mine"' EXIT
(umask 077 && cat >"$mine") 2>/dev/null || { id -un; exit ${ended.notWritable}; }
# Of a connection that was lost only a part arrives.
[ "$(tail -n 1 -- "$mine")" = '${wholeLine}' ] || exit ${ended.cut}
lock
same "$4" "$5"
[ -d "$7" ] || exit ${ended.noFolder}
# Nothing is changed before it is known that this user may.
[ "$8" = none ] || act reset-failed "$unit" 2>/dev/null
[ "$8" = start ] || note "$6"
mv -f -- "$mine" "$base.env" || exit ${ended.notWritable}
rm -f -- "$base.new"
ln -s -- "$7" "$base.new" && mv -T -- "$base.new" "$base" || exit ${ended.noLink}
[ "$8" = start ] && note "$6"
if [ "$8" != none ]; then act "$8" --no-block "$unit" || exit ${ended.refused}; fi
look
`;

/** $4 and $5 what was seen, $6 the marker, $7 `enable` or nothing. */
export const noteScript = `${prelude}
lock
same "$4" "$5"
note "$6"
[ -z "$7" ] || act enable "$unit" || :
look
`;

/** $4 `disable` or nothing: from here on it does not come back after a reboot. $5 the marker that was seen. */
export const stopScript = `${prelude}
lock
sameMarker "$5"
[ -z "$4" ] || act disable "$unit" || :
act stop --no-block "$unit" || exit ${ended.refused}
look
`;

/** $4 the marker that was seen. */
export const killScript = `${prelude}
sameMarker "$4"
# It may have ended just now.
act kill -s KILL "$unit" || :
look
`;

/** $4 and $5 what was seen, $6 the marker: the secrets go. */
export const emptyScript = `${prelude}
lock
same "$4" "$5"
rm -f -- "$base.env" "$base".env.* "$base".journal.*
[ -z "$6" ] || note "$6"
act reset-failed "$unit" 2>/dev/null || :
look
`;

/**
 * $4 \`stdout\`, or \`file\` for more than a command's output holds: then what is printed is where it is and its size. The
 * other words are journalctl's. The first line is the machine's clock.
 */
export const journalScript = `${prelude}
date +%s%N
to=$4
shift 4
journal() {
  case " $(id -un) $(id -Gn) " in
    *' root '* | *' systemd-journal '* | *' adm '* | *' wheel '*) ;;
    *) [ -z "$sudo" ] || sudo -n journalctl "$@" 2>/dev/null </dev/null && return ;;
  esac
  journalctl "$@" 2>/dev/null </dev/null
}
if [ "$to" = stdout ]; then journal "$@"; exit 0; fi
umask 077
file=$(mktemp -- "$base.journal.XXXXXX") || exit ${ended.notWritable}
journal "$@" >"$file"
printf '%s\\n' "$file"
wc -c <"$file"
`;
