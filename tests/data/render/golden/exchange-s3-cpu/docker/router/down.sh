#!/usr/bin/env bash
# Node router (10.0.2.31) of cluster guide-s3: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect guide-s3-router >/dev/null 2>&1; then
  docker stop -t 30 guide-s3-router >/dev/null
  docker rm guide-s3-router >/dev/null
  echo "guide-s3-router is stopped"
fi
