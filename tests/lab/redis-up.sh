#!/usr/bin/env bash
# Brings up one redis-server on 127.0.0.1 that keeps nothing on disk. A second call with a live server changes nothing.
#
#   REDIS_HOME=DIR         state; must be set
#   REDIS_PORT=N           16690
#   REDIS_TLS=DIR          none: speaks TLS only, with the certificate in that directory, made there if it is missing (ca.pem is its authority)
#   REDIS_OWNER_PID=PID    none: when that process has ended, the server is taken down and its state removed
#   arguments              go to redis-server, such as --maxmemory 64mb --requirepass WORD
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${REDIS_HOME:?set it to a directory for the state}"
port=${REDIS_PORT:-16690}
command -v redis-server >/dev/null || { echo "redis-server is missing: apt-get install --no-install-recommends redis-server" >&2; exit 2; }
mkdir -p "$REDIS_HOME"
exec 9>"$REDIS_HOME/lock"; flock -w 20 9
starttime() { local s a; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -ra a <<<"${s##*) }"; [ "${a[0]}" != Z ] || return 1; echo "${a[19]}"; }
alive() { local p st; [ -s "$REDIS_HOME/$1.pid" ] || return 1; read -r p st < "$REDIS_HOME/$1.pid"; [ "$(starttime "$p" || true)" = "$st" ]; }
launch() {
  local n=$1; shift
  setsid "$@" </dev/null >"$REDIS_HOME/$n.out" 2>&1 9>&- &
  local p=$!
  echo "$p $(starttime "$p" || echo 0)" > "$REDIS_HOME/$n.pid"
}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

if ! alive redis; then
  ! answers || { echo "port $port is in use by another program (REDIS_PORT)" >&2; exit 1; }
  listen=(--port "$port")
  if [ -n "${REDIS_TLS:-}" ]; then
    [ -s "$REDIS_TLS/server.pem" ] || bash "$here/certificates.sh" "$REDIS_TLS" localhost >"$REDIS_HOME/tls.out" 2>&1 || { cat "$REDIS_HOME/tls.out" >&2; exit 1; }
    listen=(--port 0 --tls-port "$port" --tls-cert-file "$REDIS_TLS/server.pem" --tls-key-file "$REDIS_TLS/server.key" --tls-ca-cert-file "$REDIS_TLS/ca.pem" --tls-auth-clients no)
  fi
  launch redis redis-server "${listen[@]}" --bind 127.0.0.1 --save '' --appendonly no --dir "$REDIS_HOME" "$@"
fi
for ((i = 0; i < 100; i++)); do
  ! answers || break
  alive redis || { cat "$REDIS_HOME/redis.out" >&2; exit 1; }
  sleep 0.1
done
answers || { echo "redis-server does not answer on port $port" >&2; exit 1; }
if [ -n "${REDIS_OWNER_PID:-}" ] && ! alive reaper; then
  launch reaper bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 2; done; exec bash "$2/redis-down.sh"' reaper "$REDIS_OWNER_PID" "$here"
fi
