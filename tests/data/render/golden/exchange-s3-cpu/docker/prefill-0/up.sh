#!/usr/bin/env bash
# Node prefill-0 (10.0.0.11) of cluster guide-s3: starts what does not run yet, in order, and waits until each is well.
# Written by ferry render from ferry.yaml: change that file and render again. Run this on 10.0.0.11.
#   ./up.sh         start
#   ./status.sh     what runs, and how it is
#   ./down.sh       stop; with --volumes also delete what the containers keep

set -euo pipefail
cd "$(dirname "$0")"

for tool in docker curl; do
  command -v "$tool" >/dev/null || { echo "up: $tool is needed and not on PATH" >&2; exit 127; }
done

: "${FERRY_MODEL_DIR:?export it before: the directory on this host that holds config.json, tokenizer.json and *.safetensors; nothing is downloaded}"
export FERRY_MODEL_DIR

# Secrets: only where they are; docker gets them by name, so that no value stands on a command line.
# FERRY_SHARED_SECRET: proved by both ends of every connection between nodes, the same on every node (openssl rand -hex 32)
: "${FERRY_SHARED_SECRET:?export it before: proved by both ends of every connection between nodes, the same on every node (openssl rand -hex 32)}"
export FERRY_SHARED_SECRET
# AWS_ACCESS_KEY_ID: access key of the bucket
AWS_ACCESS_KEY_ID="${KV_ACCESS_KEY:?export it before: access key of the bucket}"
export AWS_ACCESS_KEY_ID
# AWS_SECRET_ACCESS_KEY: secret key of the bucket
AWS_SECRET_ACCESS_KEY="${KV_SECRET_KEY:?export it before: secret key of the bucket}"
export AWS_SECRET_ACCESS_KEY

# True when the container is not there yet. One that runs must be of these very settings.
is_new() {
  local state
  state=$(docker container inspect --format '{{.State.Running}} {{index .Config.Labels "ferry.render"}}' "$1" 2>/dev/null) || return 0
  if [[ $state == "true $2" ]]; then
    echo "$1 runs already"
    return 1
  fi
  if [[ $state == true* ]]; then
    echo "up: $1 runs with other settings; stop it first: ./down.sh" >&2
    exit 1
  fi
  docker rm --force "$1" >/dev/null
}

# Waits for the first 200, as long as the container lives.
await() {
  local name=$1 url=$2 deadline=$((SECONDS + $3)) state
  until curl --fail --silent --max-time 5 --output /dev/null "$url"; do
    state=$(docker container inspect --format '{{.State.Status}} {{.RestartCount}}' "$name")
    if [[ $state != "running "[0-2] ]] || ((SECONDS >= deadline)); then
      echo "up: $name is not well after $SECONDS s ($state); its last words:" >&2
      docker logs --tail 20 "$name" >&2
      exit 1
    fi
    sleep 1
  done
  echo "$name is ready: $url"
}

# ---- prefill-0: ferry serve on the CPU, prefill, KV as mi300x has it, tensor parallel 4
#   /models/Llama-3.1-70B-Instruct: config.json, tokenizer.json and *.safetensors; nothing is downloaded
#   --served-model-name: what clients ask for; the same on both sides
#   --device: the KV shape of this accelerator, computed on the CPU
#   --kv-cache-memory-bytes: holds 2 sequences of full length
#   --kv-transfer-config: Ferry's exchange, in the engine's own process
#   PYTHONHASHSEED: root of every chunk hash: the same on every node, or nobody finds another's chunks
#   VLLM_NIXL_SIDE_CHANNEL_HOST: this node's own address: peers are told it, on the decode node, too
#   VLLM_NIXL_SIDE_CHANNEL_PORT: port of the side channel
#   FERRY_SHARED_SECRET: proved by both ends of every connection between nodes, the same on every node (openssl rand -hex 32)
#   LMCACHE_CHUNK_SIZE: tokens of a chunk: equal everywhere, and a multiple of every block size
#   LMCACHE_CACHE_POLICY: what goes first when a tier is full
#   LMCACHE_MAX_LOCAL_CPU_SIZE: GiB of each of the 4 ranks: 80GiB for the node
#   LMCACHE_REMOTE_URL: the tier that the whole fleet shares; written behind
#   AWS_ACCESS_KEY_ID: access key of the bucket
#   AWS_SECRET_ACCESS_KEY: secret key of the bucket
#   LMCACHE_SAVE_DECODE_CACHE: generated tokens are kept, too: later turns find them
#   LMCACHE_SAVE_UNFULL_CHUNK: whether the shared tier gets unfull chunks, too; the hand-over always does
if is_new guide-s3-prefill-0 f8552f6049746721; then
  docker run --detach \
    --label ferry.render=f8552f6049746721 \
    --name guide-s3-prefill-0 \
    --network host \
    --restart unless-stopped \
    --log-opt max-size=100m --log-opt max-file=3 \
    --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
    --stop-timeout 30 \
    --volume "${FERRY_MODEL_DIR}:/models/Llama-3.1-70B-Instruct:ro" \
    --env PYTHONHASHSEED=0 \
    --env VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.11 \
    --env VLLM_NIXL_SIDE_CHANNEL_PORT=5600 \
    --env FERRY_SHARED_SECRET \
    --env LMCACHE_CHUNK_SIZE=256 \
    --env LMCACHE_CACHE_POLICY=S3FIFO \
    --env LMCACHE_MAX_LOCAL_CPU_SIZE=20 \
    --env LMCACHE_REMOTE_URL='s3://kv-cache/guide-s3?endpoint=https://s3.ceph.example&region=default&style=path' \
    --env AWS_ACCESS_KEY_ID \
    --env AWS_SECRET_ACCESS_KEY \
    --env LMCACHE_SAVE_DECODE_CACHE=True \
    --env LMCACHE_SAVE_UNFULL_CHUNK=True \
    --entrypoint ferry \
    ferry:0.1.0 \
    serve /models/Llama-3.1-70B-Instruct \
    --served-model-name llama-70b \
    --host 10.0.0.11 \
    --port 8000 \
    --device mi300x \
    --tensor-parallel-size 4 \
    --max-model-len 8192 \
    --max-num-seqs 192 \
    --kv-cache-memory-bytes 5368709120 \
    --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_producer","kv_buffer_device":"cpu","kv_connector_extra_config":{"kv_lease_duration":30}}' >/dev/null
fi
await guide-s3-prefill-0 http://10.0.0.11:8000/health 600
