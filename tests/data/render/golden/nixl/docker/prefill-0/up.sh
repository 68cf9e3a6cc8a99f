#!/usr/bin/env bash
# Node prefill-0 (10.0.0.11) of cluster nixl: starts what does not run yet, in order, and waits until each is well.
# Written by ferry render from ferry.yaml: change that file and render again. Run this on 10.0.0.11.
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

# ---- prefill-0: vLLM, prefill, mi300x, tensor parallel 4
#   /dev/kfd and /dev/dri with the groups that own them; seccomp off, as ROCm maps memory between processes
#   the host's shared memory: ranks talk through it, and Docker's default of 64 MiB is too small
#   /dev/infiniband, IPC_LOCK and memlock without limit: RDMA pins what it registers
#   /root/.cache/huggingface: downloaded weights outlive the container
#   --attention-backend: named, because it decides block size, layout and handshake, and which one vLLM takes depends on the image; this one takes every block size
#   --kv-transfer-config: one JSON word; vLLM refuses unknown keys in it
#   HIP_VISIBLE_DEVICES: as many devices as ranks: 4
#   PYTHONHASHSEED: root of every chunk hash: the same on every node, or nobody finds another's chunks
#   VLLM_NIXL_SIDE_CHANNEL_HOST: this node's own address: it is bound and told to peers, on the decode node, too
#   VLLM_NIXL_SIDE_CHANNEL_PORT: port of the side channel
#   UCX_TLS: the network, with tcp to fall back on and for NIXL's own loop; then within the node
#   UCX_NET_DEVICES: the network devices that carry KV
#   UCX_ROCM_COPY_DMABUF: GPU memory goes to the network card by dma-buf; off by default before UCX 1.23
if is_new nixl-prefill-0 b7a7905d105abb37; then
  docker run --detach \
    --label ferry.render=b7a7905d105abb37 \
    --name nixl-prefill-0 \
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
    --volume nixl-hub:/root/.cache/huggingface \
    --env HIP_VISIBLE_DEVICES=0,1,2,3 \
    --env PYTHONHASHSEED=0 \
    --env VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.11 \
    --env VLLM_NIXL_SIDE_CHANNEL_PORT=5600 \
    --env UCX_TLS=rc,ud,tcp,rocm,sm,self \
    --env UCX_NET_DEVICES=mlx5_0:1,mlx5_1:1,eth0 \
    --env UCX_ROCM_COPY_DMABUF=y \
    --entrypoint vllm \
    rocm/vllm:v0.24.0 \
    serve meta-llama/Llama-3.1-70B-Instruct \
    --host 10.0.0.11 \
    --port 8000 \
    --dtype bfloat16 \
    --tensor-parallel-size 4 \
    --max-model-len 8192 \
    --max-num-seqs 256 \
    --gpu-memory-utilization 0.9 \
    --attention-backend TRITON_ATTN \
    --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda","kv_load_failure_policy":"fail","kv_connector_extra_config":{"kv_lease_duration":60}}' >/dev/null
fi
await nixl-prefill-0 http://10.0.0.11:8000/health 2400
