"""A P/D proxy of the reference kind: what vLLM's toy proxy does, on aiohttp, which Debian packages. One process, no index, no retries.

usage: reference_proxy.py PORT PREFILL_URL DECODE_URL
"""
import itertools
import json
import sys
import uuid

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

PORT, PREFILL, DECODE = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(",")
WISH = {"do_remote_decode": True, "do_remote_prefill": False, "remote_engine_id": None, "remote_block_ids": None, "remote_host": None, "remote_port": None}


async def handle(request):
    app = request.app
    body = await request.json()
    headers = {"X-Request-Id": str(uuid.uuid4())}
    first = dict(body, kv_transfer_params=WISH, stream=False, max_tokens=1)
    first.pop("stream_options", None)
    first.pop("min_tokens", None)
    if "max_completion_tokens" in first:
        first["max_completion_tokens"] = 1
    async with app["http"].post(next(app["prefill"]) + request.path, json=first, headers=headers) as reply:
        reply.raise_for_status()
        params = (await reply.json()).get("kv_transfer_params")
    if params:
        body["kv_transfer_params"] = params
    async with app["http"].post(next(app["decode"]) + request.path, json=body, headers=headers) as reply:
        answer = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.headers.get("Content-Type", "application/json")})
        await answer.prepare(request)
        async for chunk in reply.content.iter_any():
            await answer.write(chunk)
        await answer.write_eof()
        return answer


async def sessions(app):
    app["http"] = ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None), json_serialize=json.dumps)
    yield
    await app["http"].close()


app = web.Application(client_max_size=64 << 20)
app["prefill"], app["decode"] = itertools.cycle(PREFILL), itertools.cycle(DECODE)
app.cleanup_ctx.append(sessions)
app.router.add_post("/v1/completions", handle)
web.run_app(app, host="127.0.0.1", port=PORT, access_log=None, print=None)
