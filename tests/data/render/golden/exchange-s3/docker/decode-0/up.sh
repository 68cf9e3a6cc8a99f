#!/usr/bin/env bash
# Node decode-0 (10.0.1.21) of cluster guide-s3: starts what does not run yet, in order, and waits until each is well.
# Written by ferry render from ferry.yaml: change that file and render again. Run this on 10.0.1.21.
#   ./up.sh         start
#   ./status.sh     what runs, and how it is
#   ./down.sh       stop; with --volumes also delete what the containers keep

set -euo pipefail
cd "$(dirname "$0")"

for tool in docker curl; do
  command -v "$tool" >/dev/null || { echo "up: $tool is needed and not on PATH" >&2; exit 127; }
done

# Secrets: only where they are; docker gets them by name, so that no value stands on a command line.
# FERRY_RESP_PASSWORD: password of the exchange, the same on every node (openssl rand -hex 32)
FERRY_RESP_PASSWORD=$(</etc/ferry/resp-password)
export FERRY_RESP_PASSWORD
# AWS_ACCESS_KEY_ID: access key of the bucket
AWS_ACCESS_KEY_ID="${KV_ACCESS_KEY:?export it before: access key of the bucket}"
export AWS_ACCESS_KEY_ID
# AWS_SECRET_ACCESS_KEY: secret key of the bucket
AWS_SECRET_ACCESS_KEY="${KV_SECRET_KEY:?export it before: secret key of the bucket}"
export AWS_SECRET_ACCESS_KEY
# HF_TOKEN: Hugging Face token of the gated model
: "${HF_TOKEN:?export it before: Hugging Face token of the gated model}"
export HF_TOKEN

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

# ---- decode-0-exchange: the store of the engine beside it
#   /var/lib/ferry/cache: the disk tier
#   --resp: LMCache's clients, all ranks of this node's engine, and the other exchanges
#   --admin: metrics, health and the commands, for this host only
#   --memory: what the node gives to the cache, less the pools of LMCache's ranks beside it
#   --convert: shards of one tensor-parallel size are cut for the other
#   --models: layers and heads of the model, which conversion needs
#   --disk: its content survives restarts
#   --peer: the other nodes' exchanges: what is not here is read from them
#   --remote: the tier that the whole fleet shares; written behind
#   FERRY_RESP_PASSWORD: password of the exchange, the same on every node (openssl rand -hex 32)
#   AWS_ACCESS_KEY_ID: access key of the bucket
#   AWS_SECRET_ACCESS_KEY: secret key of the bucket
if is_new guide-s3-decode-0-exchange 5e5d804b3317200d; then
  docker run --detach \
    --label ferry.render=5e5d804b3317200d \
    --name guide-s3-decode-0-exchange \
    --network host \
    --restart unless-stopped \
    --log-opt max-size=100m --log-opt max-file=3 \
    --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
    --memory 64948m \
    --stop-timeout 40 \
    --volume /var/lib/ferry/cache:/var/lib/ferry/cache \
    --volume "$PWD/models.yaml:/etc/ferry/models.yaml:ro" \
    --env FERRY_RESP_PASSWORD \
    --env AWS_ACCESS_KEY_ID \
    --env AWS_SECRET_ACCESS_KEY \
    --entrypoint ferry \
    ferry:0.1.0 \
    cache \
    --resp 10.0.1.21:6390 \
    --admin 127.0.0.1:6391 \
    --memory 58112MiB \
    --policy s3fifo \
    --chunk-size 256 \
    --convert on \
    --models /etc/ferry/models.yaml \
    --disk /var/lib/ferry/cache \
    --disk-size 200GiB \
    --peer 10.0.0.11:6390 10.0.1.22:6390 \
    --remote 's3://kv-cache/guide-s3?endpoint=https://s3.ceph.example&region=default&style=path' \
    --remote-size 2048GiB >/dev/null
fi
await guide-s3-decode-0-exchange http://127.0.0.1:6391/health 120

# ---- decode-0: vLLM, decode, gaudi3, tensor parallel 4
#   the habana runtime brings the devices that HABANA_VISIBLE_DEVICES names; SYS_NICE lets it bind to NUMA nodes
#   the host's shared memory: ranks talk through it, and Docker's default of 64 MiB is too small
#   /root/.cache/huggingface: downloaded weights outlive the container
#   --enforce-eager: LMCache on Gaudi runs in eager mode
#   --kv-transfer-config: one JSON word; vLLM refuses unknown keys in it
#   HABANA_VISIBLE_DEVICES: as many devices as ranks: 4
#   OMPI_MCA_btl_vader_single_copy_mechanism: Open MPI in a container may not read other processes' memory
#   PYTHONHASHSEED: root of every chunk hash: the same on every node, or nobody finds another's chunks
#   LMCACHE_REMOTE_URL: this node's exchange, which finds with the others what it lacks
#   LMCACHE_REMOTE_SERDE: plain bytes: the only form that can be converted for the other side
#   LMCACHE_PRE_CACHING_HASH_ALGORITHM: the same hashes whatever the Python version
#   LMCACHE_CHUNK_SIZE: tokens of a chunk: equal everywhere, and a multiple of every block size
#   LMCACHE_LOCAL_CPU: with False a full staging buffer is never freed (LMCache #2942)
#   LMCACHE_MAX_LOCAL_CPU_SIZE: GiB of each of the 4 ranks, not of the node
#   LMCACHE_SAVE_DECODE_CACHE: generated tokens are kept, too: later turns find them
#   LMCACHE_SAVE_UNFULL_CHUNK: the last, unfull chunk of a prompt is handed over, too
#   PT_HPU_GPU_MIGRATION: LMCache on Gaudi needs it: its tensors go by CUDA's names
#   HF_TOKEN: Hugging Face token of the gated model
export LMCACHE_REMOTE_URL="redis://default:${FERRY_RESP_PASSWORD}@10.0.1.21:6390"
if is_new guide-s3-decode-0 41e232c0da72d9fd; then
  docker run --detach \
    --label ferry.render=41e232c0da72d9fd \
    --name guide-s3-decode-0 \
    --network host \
    --restart unless-stopped \
    --log-opt max-size=100m --log-opt max-file=3 \
    --runtime habana \
    --ipc host \
    --cap-add SYS_NICE \
    --stop-timeout 120 \
    --volume guide-s3-hub:/root/.cache/huggingface \
    --env HABANA_VISIBLE_DEVICES=0,1,2,3 \
    --env OMPI_MCA_btl_vader_single_copy_mechanism=none \
    --env PYTHONHASHSEED=0 \
    --env LMCACHE_REMOTE_URL \
    --env LMCACHE_REMOTE_SERDE=naive \
    --env LMCACHE_PRE_CACHING_HASH_ALGORITHM=sha256_cbor \
    --env LMCACHE_CHUNK_SIZE=256 \
    --env LMCACHE_LOCAL_CPU=True \
    --env LMCACHE_MAX_LOCAL_CPU_SIZE=0.8125 \
    --env LMCACHE_SAVE_DECODE_CACHE=True \
    --env LMCACHE_SAVE_UNFULL_CHUNK=True \
    --env PT_HPU_GPU_MIGRATION=1 \
    --env HF_TOKEN \
    --entrypoint vllm \
    vault.habana.ai/gaudi-docker/vllm-gaudi:0.24.0 \
    serve meta-llama/Llama-3.1-70B-Instruct \
    --revision 1605565b47bb9346c5515c34102e054115b4f98b \
    --served-model-name llama-70b \
    --host 10.0.1.21 \
    --port 8001 \
    --dtype bfloat16 \
    --tensor-parallel-size 4 \
    --max-model-len 8192 \
    --max-num-seqs 96 \
    --gpu-memory-utilization 0.85 \
    --enforce-eager \
    --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}' >/dev/null
fi
await guide-s3-decode-0 http://10.0.1.21:8001/health 2400
