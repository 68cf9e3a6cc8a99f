#!/usr/bin/env bash
# Node prefill-0 (10.0.0.11) of cluster guide-s3: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect guide-s3-prefill-0 >/dev/null 2>&1; then
  docker stop -t 120 guide-s3-prefill-0 >/dev/null
  docker rm guide-s3-prefill-0 >/dev/null
  echo "guide-s3-prefill-0 is stopped"
fi
if docker container inspect guide-s3-prefill-0-exchange >/dev/null 2>&1; then
  docker stop -t 40 guide-s3-prefill-0-exchange >/dev/null
  docker rm guide-s3-prefill-0-exchange >/dev/null
  echo "guide-s3-prefill-0-exchange is stopped"
fi

if [[ ${1:-} == --volumes ]]; then
  docker volume rm --force guide-s3-hub
fi
