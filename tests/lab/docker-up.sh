#!/usr/bin/env bash
# Brings up a Docker engine of its own on a private socket, without bridge, iptables and systemd: containers use --network host.
# A second call with a live engine changes nothing. Needs root.
#
#   DOCKER_LAB_HOME=DIR         state and socket (DIR/docker.sock); must be set, and on a file system that overlayfs takes
#   DOCKER_LAB_STORAGE=NAME     overlay2 (default) or vfs
#   DOCKER_LAB_OWNER_PID=PID    none: when that process has ended, the engine is taken down and its state removed
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${DOCKER_LAB_HOME:?set it to a directory for the state}"
home=$DOCKER_LAB_HOME
command -v dockerd >/dev/null || { echo "dockerd is missing: apt-get install --no-install-recommends docker.io" >&2; exit 2; }
mkdir -p "$home"
exec 9>"$home/lock"; flock -w 60 9
starttime() { local s a; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -ra a <<<"${s##*) }"; [ "${a[0]}" != Z ] || return 1; echo "${a[19]}"; }
alive() { local p st; [ -s "$home/$1.pid" ] || return 1; read -r p st < "$home/$1.pid"; [ "$(starttime "$p" || true)" = "$st" ]; }
launch() {
  local n=$1; shift
  setsid "$@" </dev/null >"$home/$n.out" 2>&1 9>&- &
  local p=$!
  echo "$p $(starttime "$p" || echo 0)" > "$home/$n.pid"
}
answers() { curl --silent --fail --max-time 5 --output /dev/null --unix-socket "$home/docker.sock" http://docker/_ping; }

if ! alive engine; then
  rm -f "$home/dockerd.pid"
  launch engine dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/dockerd.pid" --host "unix://$home/docker.sock" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
    --storage-driver "${DOCKER_LAB_STORAGE:-overlay2}" --exec-opt native.cgroupdriver=cgroupfs
fi
for ((i = 0; i < 600; i++)); do
  ! answers || break
  alive engine || { echo "dockerd ended while starting:" >&2; tail -n 20 "$home/engine.out" >&2; exit 1; }
  sleep 0.1
done
answers || { echo "dockerd does not answer on $home/docker.sock:" >&2; tail -n 20 "$home/engine.out" >&2; exit 1; }
if [ -n "${DOCKER_LAB_OWNER_PID:-}" ] && ! alive reaper; then
  launch reaper bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 2; done; exec bash "$2/docker-down.sh" --wipe' reaper "$DOCKER_LAB_OWNER_PID" "$here"
fi
