#!/usr/bin/env bash
# Node decode-0 (10.0.0.12) of cluster pd: starts what does not run yet, in order, and waits until each is well.
# Written by ferry render from ferry.yaml: change that file and render again. Run this on 10.0.0.12.
#   ./up.sh         start
#   ./status.sh     what runs, and how it is
#   ./down.sh       stop; with --volumes also delete what the containers keep

set -euo pipefail
cd "$(dirname "$0")"

for tool in docker curl; do
  command -v "$tool" >/dev/null || { echo "up: $tool is needed and not on PATH" >&2; exit 127; }
done

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

# ---- decode-0: vLLM, decode, mi300x, tensor parallel 2
#   /dev/kfd and /dev/dri with the groups that own them; seccomp off, as ROCm maps memory between processes
#   the host's shared memory: ranks talk through it, and Docker's default of 64 MiB is too small
#   /dev/infiniband, IPC_LOCK and memlock without limit: RDMA pins what it registers
#   /root/.cache/huggingface: downloaded weights outlive the container
#   --kv-transfer-config: one JSON word; vLLM refuses unknown keys in it
#   HIP_VISIBLE_DEVICES: as many devices as ranks: 2
#   PYTHONHASHSEED: root of every chunk hash: the same on every node, or nobody finds another's chunks
#   LMCACHE_ENABLE_PD: LMCache's prefill/decode mode
#   LMCACHE_PD_ROLE: prefill sends, decode receives
#   LMCACHE_TRANSFER_CHANNEL: the only channel of this mode
#   LMCACHE_PD_BUFFER_SIZE: bytes of each rank
#   LMCACHE_PD_BUFFER_DEVICE: where the buffer lies; the same kind on both sides
#   LMCACHE_PD_PEER_HOST: this node's own address, which senders dial
#   LMCACHE_PD_PEER_INIT_PORT: one port a rank
#   LMCACHE_PD_PEER_ALLOC_PORT: one port a rank
#   LMCACHE_PD_ALLOCATION_TIMEOUT_SEC: the default waits for ever with the sender's socket held
#   LMCACHE_PRE_CACHING_HASH_ALGORITHM: the same hashes whatever the Python version
#   LMCACHE_CHUNK_SIZE: tokens of a chunk: equal everywhere
#   LMCACHE_LOCAL_CPU: as upstream has it with PD: no tier beside the receiver's buffer
#   LMCACHE_MAX_LOCAL_CPU_SIZE: no pool either
#   UCX_TLS: the network, with tcp to fall back on and for NIXL's own loop; then within the node
#   UCX_NET_DEVICES: the network devices that carry KV
#   UCX_IB_GID_INDEX: the GID that RoCE packets leave with
if is_new pd-decode-0 37b649dbff2340ad; then
  docker run --detach \
    --label ferry.render=37b649dbff2340ad \
    --name pd-decode-0 \
    --network host \
    --restart unless-stopped \
    --log-opt max-size=100m --log-opt max-file=3 \
    --ipc host \
    --device /dev/kfd \
    --device /dev/dri \
    --device /dev/infiniband \
    --group-add video \
    --group-add render \
    --cap-add IPC_LOCK \
    --security-opt seccomp=unconfined \
    --ulimit memlock=-1:-1 \
    --stop-timeout 120 \
    --volume pd-hub:/root/.cache/huggingface \
    --env HIP_VISIBLE_DEVICES=0,1 \
    --env PYTHONHASHSEED=0 \
    --env LMCACHE_ENABLE_PD=True \
    --env LMCACHE_PD_ROLE=receiver \
    --env LMCACHE_TRANSFER_CHANNEL=nixl \
    --env LMCACHE_PD_BUFFER_SIZE=4294967296 \
    --env LMCACHE_PD_BUFFER_DEVICE=cpu \
    --env LMCACHE_PD_PEER_HOST=10.0.0.12 \
    --env LMCACHE_PD_PEER_INIT_PORT=7300,7301 \
    --env LMCACHE_PD_PEER_ALLOC_PORT=7400,7401 \
    --env LMCACHE_PD_ALLOCATION_TIMEOUT_SEC=30 \
    --env LMCACHE_PRE_CACHING_HASH_ALGORITHM=sha256_cbor \
    --env LMCACHE_CHUNK_SIZE=256 \
    --env LMCACHE_LOCAL_CPU=False \
    --env LMCACHE_MAX_LOCAL_CPU_SIZE=0 \
    --env UCX_TLS=rc,ud,tcp,sm,self \
    --env UCX_NET_DEVICES=rocep1s0:1,eth0 \
    --env UCX_IB_GID_INDEX=3 \
    --entrypoint vllm \
    rocm/vllm:v0.24.0 \
    serve meta-llama/Llama-3.1-8B-Instruct \
    --host 10.0.0.12 \
    --port 8001 \
    --dtype bfloat16 \
    --tensor-parallel-size 2 \
    --max-model-len 8192 \
    --max-num-seqs 256 \
    --gpu-memory-utilization 0.9 \
    --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer","kv_connector_extra_config":{"skip_last_n_tokens":1,"lmcache_rpc_port":"decode-0"}}' >/dev/null
fi
await pd-decode-0 http://10.0.0.12:8001/health 2400
