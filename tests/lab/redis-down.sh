#!/usr/bin/env bash
# Ends the server that redis-up.sh recorded under REDIS_HOME (pid and start time are compared) and removes its state.
set -euo pipefail
: "${REDIS_HOME:?set it to the directory of the state}"
starttime() { local s a; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -ra a <<<"${s##*) }"; [ "${a[0]}" != Z ] || return 1; echo "${a[19]}"; }
for name in reaper redis; do
  [ -s "$REDIS_HOME/$name.pid" ] || continue
  read -r p st < "$REDIS_HOME/$name.pid"
  # The reaper becomes this script when its owner is gone: then it must not end itself.
  if [ "$p" != $$ ] && [ "$(starttime "$p" || true)" = "$st" ]; then kill -KILL "$p" 2>/dev/null || true; fi
  rm -f "$REDIS_HOME/$name.pid"
done
rm -f "$REDIS_HOME"/{redis.out,reaper.out,tls.out,lock,dump.rdb,nodes.conf}
rmdir "$REDIS_HOME" 2>/dev/null || true
