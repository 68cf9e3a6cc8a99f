#!/usr/bin/env bash
# Node router (10.0.2.31) of cluster nixl: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect nixl-router >/dev/null 2>&1; then
  docker stop -t 30 nixl-router >/dev/null
  docker rm nixl-router >/dev/null
  echo "nixl-router is stopped"
fi
