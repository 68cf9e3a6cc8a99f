#!/usr/bin/env bash
# Node prefill-0 (10.0.0.11) of cluster nixl: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect nixl-prefill-0 >/dev/null 2>&1; then
  docker stop -t 120 nixl-prefill-0 >/dev/null
  docker rm nixl-prefill-0 >/dev/null
  echo "nixl-prefill-0 is stopped"
fi

if [[ ${1:-} == --volumes ]]; then
  docker volume rm --force nixl-hub
fi
