#!/usr/bin/env bash
# Ends the engine of docker-up.sh with all its containers; with --wipe its state goes, too. Touches nothing that it did not start.
set -euo pipefail
: "${DOCKER_LAB_HOME:?set it to the directory that docker-up.sh had}"
home=$DOCKER_LAB_HOME
starttime() { local s a; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -ra a <<<"${s##*) }"; [ "${a[0]}" != Z ] || return 1; echo "${a[19]}"; }
alive() { local p st; [ -s "$home/$1.pid" ] || return 1; read -r p st < "$home/$1.pid"; [ "$(starttime "$p" || true)" = "$st" ]; }
end() {
  local p
  alive "$1" || { rm -f "$home/$1.pid"; return 0; }
  read -r p _ < "$home/$1.pid"
  [ "$p" != $$ ] || return 0
  kill -TERM "$p" 2>/dev/null || true
  for ((i = 0; i < 200; i++)); do
    alive "$1" || break
    sleep 0.1
  done
  ! alive "$1" || kill -KILL "$p" 2>/dev/null || true
  rm -f "$home/$1.pid"
}

if alive engine; then
  # The client in the same package, not whatever else is called docker.
  client=$(dirname "$(command -v dockerd)")/docker
  [ -x "$client" ] || client=/usr/bin/docker
  export DOCKER_HOST=unix://$home/docker.sock
  ids=$(timeout 20 "$client" ps --quiet || true)
  [ -z "$ids" ] || timeout 60 xargs "$client" kill <<<"$ids" >/dev/null || true
fi
end engine
if [ "${1:-}" = --wipe ]; then
  end reaper
  { grep -o " $home/[^ ]*" /proc/mounts || true; } | sort -r | while read -r mount; do umount "$mount" || true; done
  rm -rf "$home"
fi
