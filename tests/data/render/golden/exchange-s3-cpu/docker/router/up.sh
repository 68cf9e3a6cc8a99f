#!/usr/bin/env bash
# Node router (10.0.2.31) of cluster guide-s3: starts what does not run yet, in order, and waits until each is well.
# Written by ferry render from ferry.yaml: change that file and render again. Run this on 10.0.2.31.
#   ./up.sh         start
#   ./status.sh     what runs, and how it is
#   ./down.sh       stop; with --volumes also delete what the containers keep

set -euo pipefail
cd "$(dirname "$0")"

for tool in docker curl; do
  command -v "$tool" >/dev/null || { echo "up: $tool is needed and not on PATH" >&2; exit 127; }
done

# True when the container is not there yet. One that runs must be of these very settings.
is_new() {
  local state
  state=$(docker container inspect --format '{{.State.Running}} {{index .Config.Labels "ferry.render"}}' "$1" 2>/dev/null) || return 0
  if [[ $state == "true $2" ]]; then
    echo "$1 runs already"
    return 1
  fi
  if [[ $state == true* ]]; then
    echo "up: $1 runs with other settings; stop it first: ./down.sh" >&2
    exit 1
  fi
  docker rm --force "$1" >/dev/null
}

# Waits for the first 200, as long as the container lives.
await() {
  local name=$1 url=$2 deadline=$((SECONDS + $3)) state
  until curl --fail --silent --max-time 5 --output /dev/null "$url"; do
    state=$(docker container inspect --format '{{.State.Status}} {{.RestartCount}}' "$name")
    if [[ $state != "running "[0-2] ]] || ((SECONDS >= deadline)); then
      echo "up: $name is not well after $SECONDS s ($state); its last words:" >&2
      docker logs --tail 20 "$name" >&2
      exit 1
    fi
    sleep 1
  done
  echo "$name is ready: $url"
}

# ---- router: the only address that clients need
#   --config: every setting of the router; read again when it changes
if is_new guide-s3-router 4c22b6b059f62850; then
  docker run --detach \
    --label ferry.render=4c22b6b059f62850 \
    --name guide-s3-router \
    --network host \
    --restart unless-stopped \
    --log-opt max-size=100m --log-opt max-file=3 \
    --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
    --memory 2048m \
    --stop-timeout 30 \
    --volume "$PWD/router.yaml:/etc/ferry/router.yaml:ro" \
    --entrypoint ferry \
    ferry:0.1.0 \
    route \
    --config /etc/ferry/router.yaml >/dev/null
fi
await guide-s3-router http://10.0.2.31:9000/health 60
