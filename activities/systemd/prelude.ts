/** What every script begins with. */
import { properties } from './look.ts';

/** Why a script has ended. */
export const ended = {
  noRight: 70,
  noShow: 71,
  noSystemd: 72,
  notWritable: 73,
  changed: 74,
  busy: 75,
  noFolder: 76,
  noLink: 77,
  refused: 78,
  cut: 79,
} as const;

/** How long an overlapping script is waited for, s. */
const patience = 20;

/** $1 `sudo` or nothing, $2 the unit, $3 the path of its link. */
export const prelude = `
LC_ALL=C; export LC_ALL
sudo=$1 unit=$2 base=$3
command -v systemctl >/dev/null 2>&1 || exit ${ended.noSystemd}

# As root. What it says is for stderr, unless it may not.
act() {
  if [ "$sudo" ] && [ "$(id -u)" != 0 ]; then said=$(sudo -n systemctl "$@" 2>&1 </dev/null 9>&-)
  else said=$(systemctl --no-ask-password "$@" 2>&1 </dev/null 9>&-); fi && return 0
  case $said in
    *'password is required'* | *'terminal is required'* | *'must have a tty'* | *'may not run sudo'* | \\
    *'not allowed to execute'* | *'not in the sudoers'* | *'sudo: not found'* | *'sudo: command not found'* | \\
    *'nteractive authentication required'* | *'ccess denied'*)
      printf 'user=%s\\nsystemctl=%s\\n' "$(id -un)" "$(command -v systemctl)"
      exit ${ended.noRight} ;;
  esac
  printf '%s\\n' "$said" >&2
  return 1
}

look() {
  shown=$(systemctl show "$unit" ${properties.map((name) => `-p ${name}`).join(' ')} 2>&1 </dev/null 9>&-) || {
    printf '%s\\n' "$shown" >&2; exit ${ended.noShow}; }
  printf '%s\\n' "$shown"
  works=$(printf '%s\\n' "$shown" | sed -n 's/^WorkingDirectory=!*//p')
  [ -z "$works" ] || printf 'works=%s\\n' "$(readlink -f -- "$works")"
  printf 'link=%s\\n' "$(readlink -- "$base")"
  printf 'marker=%s\\n' "$(cat -- "$base.json" 2>/dev/null)"
  printf 'clock=%s\\n' "$(date +%s%N)"
  # When a process starts now, in hundredths of a second: a container's /proc/uptime may count from another moment.
  printf 'ticks=%s\\n' "$(sh -c 'read -r line </proc/$$/stat && set -- $line && shift 21 && echo "$1"')"
  # Ports on which somebody listens, in hexadecimal digits.
  printf 'listens=%s\\n' "$(sed -n 's/^ *[0-9]*: [0-9A-F]*:\\([0-9A-F]*\\) [0-9A-F:]* 0A .*/\\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null | tr '\\n' ' ')"
  printf 'user=%s\\nsystemctl=%s\\n' "$(id -un)" "$(command -v systemctl)"
}

# One script at a time; the kernel gives it back, however this one ends.
lock() {
  mkdir -p -- "\${base%/*}" 2>/dev/null && { : >>"$base.lock"; } 2>/dev/null || {
    id -un; exit ${ended.notWritable}; }
  exec 9>>"$base.lock"
  flock -w ${patience} 9 || exit ${ended.busy}
}

# $1 what was seen of the unit, $2 of the marker.
same() {
  now=$(systemctl show "$unit" -p ActiveState -p InvocationID </dev/null 9>&- | sort)
  [ "$now" = "$1" ] || exit ${ended.changed}
  sameMarker "$2"
}
# Another one is of a release that was started since.
sameMarker() {
  [ "$(cat -- "$base.json" 2>/dev/null)" = "$1" ] || exit ${ended.changed}
}

# Whole or not at all.
note() {
  printf '%s\\n' "$1" >"$base.json.new" && mv -f -- "$base.json.new" "$base.json" || exit ${ended.notWritable}
}
`;
