#!/usr/bin/env bash
# Node prefill-0 (10.0.0.11) of cluster guide: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect guide-prefill-0 >/dev/null 2>&1; then
  docker stop -t 120 guide-prefill-0 >/dev/null
  docker rm guide-prefill-0 >/dev/null
  echo "guide-prefill-0 is stopped"
fi
if docker container inspect guide-prefill-0-exchange >/dev/null 2>&1; then
  docker stop -t 40 guide-prefill-0-exchange >/dev/null
  docker rm guide-prefill-0-exchange >/dev/null
  echo "guide-prefill-0-exchange is stopped"
fi

if [[ ${1:-} == --volumes ]]; then
  docker volume rm --force guide-hub
fi
