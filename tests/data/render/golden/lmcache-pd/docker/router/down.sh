#!/usr/bin/env bash
# Node router (10.0.2.31) of cluster pd: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect pd-router >/dev/null 2>&1; then
  docker stop -t 30 pd-router >/dev/null
  docker rm pd-router >/dev/null
  echo "pd-router is stopped"
fi
