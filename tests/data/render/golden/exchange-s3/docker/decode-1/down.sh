#!/usr/bin/env bash
# Node decode-1 (10.0.1.22) of cluster guide-s3: stops and removes its containers, the last started first.
# With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
set -euo pipefail

if docker container inspect guide-s3-decode-1 >/dev/null 2>&1; then
  docker stop -t 120 guide-s3-decode-1 >/dev/null
  docker rm guide-s3-decode-1 >/dev/null
  echo "guide-s3-decode-1 is stopped"
fi
if docker container inspect guide-s3-decode-1-exchange >/dev/null 2>&1; then
  docker stop -t 40 guide-s3-decode-1-exchange >/dev/null
  docker rm guide-s3-decode-1-exchange >/dev/null
  echo "guide-s3-decode-1-exchange is stopped"
fi

if [[ ${1:-} == --volumes ]]; then
  docker volume rm --force guide-s3-hub
fi
