#!/usr/bin/env python3
"""A real NIXL agent for NixlAgentTests: does what notifications tell it, as NixlTestPeer does.

Needs nixl (0.7 or newer; run with 1.4.0) on UCX 1.19 or newer (run with 1.22.0). Run it, then the tests with
  FERRY_NIXL_PEER=HOST:PORT FERRY_NIXL_PEER_UCX=1.22 FERRY_UCX_LIB=/path/to/libucp.so.0
"""
import ctypes
import sys
import time

from nixl._api import nixl_agent, nixl_agent_config

BYTES = 1 << 20
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8888


def transfer(agent, operation, local, remote, teller):
    handle = agent.initialize_xfer(operation, local, remote, teller, b"")
    state = agent.transfer(handle)
    while state == "PROC":
        state = agent.check_xfer_state(handle)
    agent.release_xfer_handle(handle)
    return state == "DONE"


def obey(agent, memory, teller, words):
    if words[0] == "echo":
        return words[1]
    if words[0] == "sum":
        return str(sum(memory.raw[:BYTES]))
    if words[0] == "pull":
        address, count = (int(number) for number in words[1].split(" "))
        local = agent.get_xfer_descs([(ctypes.addressof(memory), count, 0)], mem_type="DRAM")
        remote = agent.get_xfer_descs([(address, count, 0)], mem_type="DRAM")
        read = transfer(agent, "READ", local, remote, teller)
        memory[:count] = bytes(255 - one for one in memory.raw[:count])
        return "pulled" if read and transfer(agent, "WRITE", local, remote, teller) else "a transfer failed"
    return "unknown: " + words[0]


def main():
    agent = nixl_agent("nixl-p", nixl_agent_config(True, True, PORT))
    memory = ctypes.create_string_buffer(BYTES)
    agent.register_memory([(ctypes.addressof(memory), BYTES, 0, "")], mem_type="DRAM")
    print(f"nixl-p listens on {PORT}", flush=True)
    while True:
        for teller, messages in agent.get_new_notifs().items():
            while not agent.check_remote_metadata(teller):  # a first word may come before its teller's metadata
                time.sleep(0.01)
            for message in messages:
                agent.send_notif(teller, obey(agent, memory, teller, message.decode().split(" ", 1)).encode())
        time.sleep(0.001)


main()
