#!/usr/bin/env bash
# Node decode-0 (10.0.1.21) of cluster guide-s3: each container's state and health. Exit code 0 when all are well. Written by ferry render.
set -euo pipefail

unwell=0
show() {
  local state health=unwell
  state=$(docker container inspect --format '{{.State.Status}} since {{.State.StartedAt}}, {{.RestartCount}} restarts' "$1" 2>/dev/null) || state='not there'
  if curl --fail --silent --max-time 5 --output /dev/null "$2"; then health=well; else unwell=1; fi
  printf '%-28s %-7s %s  %s\n' "$1" "$health" "$2" "$state"
}

show guide-s3-decode-0-exchange http://127.0.0.1:6391/health
show guide-s3-decode-0 http://10.0.1.21:8001/health
exit "$unwell"
