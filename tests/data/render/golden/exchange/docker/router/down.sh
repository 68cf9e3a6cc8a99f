#!/usr/bin/env bash
# Node router (10.0.2.31) of cluster guide: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect guide-router >/dev/null 2>&1; then
  docker stop -t 30 guide-router >/dev/null
  docker rm guide-router >/dev/null
  echo "guide-router is stopped"
fi
