#!/usr/bin/env bash
# Node router (10.0.2.31) of cluster pd: starts what does not run yet, in order, and waits until each is well.
# Written by ferry render from ferry.yaml: change that file and render again. Run this on 10.0.2.31.
#   ./up.sh         start
#   ./status.sh     what runs, and how it is
#   ./down.sh       stop; with --volumes also delete what the containers keep

set -euo pipefail
cd "$(dirname "$0")"

for tool in docker curl; do
  command -v "$tool" >/dev/null || { echo "up: $tool is needed and not on PATH" >&2; exit 127; }
done

[[ -f $PWD/disagg_proxy_server.py ]] || { echo "up: put disagg_proxy_server.py into $PWD, from LMCache's sources, of the image's version: examples/disagg_prefill" >&2; exit 2; }

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

# ---- router: LMCache's proxy: tells each sender its receiver, and waits for its word
#   /opt/proxy/disagg_proxy_server.py: from LMCache's sources, of the image's version: examples/disagg_prefill
#   --decoder-init-port: one port a rank, as the receivers have them
#   --proxy-host: where senders say that a prompt's chunks have been sent
if is_new pd-router b4106014955dcb07; then
  docker run --detach \
    --label ferry.render=b4106014955dcb07 \
    --name pd-router \
    --network host \
    --restart unless-stopped \
    --log-opt max-size=100m --log-opt max-file=3 \
    --stop-timeout 30 \
    --volume "$PWD/disagg_proxy_server.py:/opt/proxy/disagg_proxy_server.py:ro" \
    --entrypoint python3 \
    rocm/vllm:v0.24.0 \
    /opt/proxy/disagg_proxy_server.py \
    --host 10.0.2.31 \
    --port 9000 \
    --prefiller-host 10.0.0.11 \
    --prefiller-port 8000 \
    --decoder-host 10.0.0.12 \
    --decoder-port 8001 \
    --decoder-init-port 7300,7301 \
    --decoder-alloc-port 7400,7401 \
    --proxy-host 10.0.2.31 \
    --proxy-port 7500 >/dev/null
fi
await pd-router http://10.0.2.31:9000/openapi.json 60
