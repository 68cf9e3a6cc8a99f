#!/usr/bin/env bash
# Node prefill-1 (10.0.0.12) of cluster guide: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect guide-prefill-1 >/dev/null 2>&1; then
  docker stop -t 30 guide-prefill-1 >/dev/null
  docker rm guide-prefill-1 >/dev/null
  echo "guide-prefill-1 is stopped"
fi
