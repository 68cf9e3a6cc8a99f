#!/usr/bin/env bash
# ceph-down.sh [--wipe]: ends the daemons that ceph-up.sh recorded under CEPH_HOME (pid and start time are compared, so a reused
# pid is left alone), radosgw first, mon last. With --wipe it kills them and removes the state.
set -euo pipefail
: "${CEPH_HOME:?set it to the directory of the state}"
H=$CEPH_HOME
[ -d "$H/run" ] || { echo "nothing under $H" >&2; exit 0; }
starttime() { local s a; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -ra a <<<"${s##*) }"; [ "${a[0]}" != Z ] || return 1; echo "${a[19]}"; }
is_ours() { [ "$(starttime "$1" || true)" = "$2" ]; }
stop() { # stop NAME GRACE_SECONDS
  local f=$H/run/$1.pid p st i
  [ -s "$f" ] || return 0
  read -r p st < "$f"
  if is_ours "$p" "$st"; then
    [ "$2" = 0 ] || kill -TERM "$p" 2>/dev/null || true
    for ((i = 0; i < $2 * 10; i++)); do is_ours "$p" "$st" || break; sleep 0.1; done
    if is_ours "$p" "$st"; then kill -KILL "$p" 2>/dev/null || true; for ((i = 0; i < 50; i++)); do is_ours "$p" "$st" || break; sleep 0.05; done; fi
  fi
  rm -f "$f"
}
read -r reaper _ 2>/dev/null < "$H/run/reaper.pid" || reaper=$$
[ "$reaper" = $$ ] || stop reaper 0       # the reaper becomes this script when its owner is gone: then it must not end itself
g=1; [ "${1:-}" != --wipe ] || g=0        # with --wipe nothing is worth a clean stop: SIGKILL at once
for f in "$H"/run/rgw.*.pid; do [ ! -e "$f" ] || stop "$(basename "$f" .pid)" $((5*g)); done
stop osd.0 $((20*g))
stop mon.a $((10*g))
if [ "${1:-}" = --wipe ]; then
  case $H in /|/root|/home|/tmp|"") echo "refuse to wipe $H" >&2; exit 1;; esac
  rm -rf "$H"/{mon,osd,rgw,log,run,tls,ceph.conf,user.json,quota,keyring,monmap,osd.uuid,lock}
  rmdir "$H" 2>/dev/null || true
fi
