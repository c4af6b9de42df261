#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bad network: passes connections on to a server on this machine, and harms them as it is told. For soak.py.

    chaos.py PORT       prints the port at which it listens; each line on stdin is a mode:

    pass            all goes through
    refuse          every connection is reset
    stall           nothing goes through, nothing is closed
    slow            4 KiB each 20 ms
    cut P           with the probability P, each piece of a request or an answer resets the connection in its place
    lost P          with that of P, an answer does: the server has done what it was asked to, and nobody hears of it
    storm STATUS    each request is answered with that, and the server does not see it
"""
import asyncio
import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading

PIECE = 65536
TIMEOUT = 10  # s to start


class Connection:
    """Two streams, and the mode of the network that they go through."""

    def __init__(self, network, client):
        self.network = network
        self.reader, self.writer = client
        self.server_reader = self.server_writer = None

    def reset(self):
        for writer in (self.writer, self.server_writer):
            if writer is None:
                continue
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def answer(self, status):
        """Reads on for a moment, as a connection that is closed with something unread is reset."""
        self.server_writer.transport.abort()
        later = "Retry-After: 1\r\n" if self.network.rng.random() < 0.3 else ""
        self.writer.write(f"HTTP/1.1 {status} Storm\r\n{later}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        self.writer.write_eof()
        with contextlib.suppress(asyncio.TimeoutError):
            while await asyncio.wait_for(self.reader.read(PIECE), 1):
                pass
        self.writer.close()

    async def treat(self, piece, is_answer):
        """Whether the piece goes through."""
        network = self.network
        while network.mode == "stall":
            await network.changed.wait()
        if network.mode == "refuse" or (network.mode == "cut" and network.chance()) or (network.mode == "lost" and is_answer and network.chance()):
            self.reset()
            return False
        if network.mode == "storm" and not is_answer:
            await self.answer(network.value)
            return False
        if network.mode == "slow":
            await asyncio.sleep(0.02 * (len(piece) // 4096 + 1))
        return True

    async def pass_on(self, reader, writer, is_answer):
        try:
            while True:
                piece = await reader.read(PIECE)
                if not piece:
                    writer.close()
                    return
                if not await self.treat(piece, is_answer):
                    return
                writer.write(piece)
                await writer.drain()
        except OSError:
            self.reset()

    async def live(self, port):
        if self.network.mode == "refuse":
            self.reset()
            return
        try:
            self.server_reader, self.server_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self.reset()
            return
        await asyncio.gather(self.pass_on(self.reader, self.server_writer, False), self.pass_on(self.server_reader, self.writer, True))


class Network:
    """What all connections have in common."""

    def __init__(self, port):
        self.port = port
        self.mode, self.value = "pass", 0
        self.rng = random.Random()
        self.connections = set()
        self.changed = None

    def chance(self):
        return self.rng.random() < float(self.value)

    async def on_connection(self, reader, writer):
        connection = Connection(self, (reader, writer))
        self.connections.add(connection)
        try:
            await connection.live(self.port)
        finally:
            self.connections.discard(connection)

    def change(self, line):
        mode, _, value = line.partition(" ")
        self.mode, self.value = mode, value
        self.changed.set()
        self.changed = asyncio.Event()
        if mode == "refuse":
            for connection in self.connections:
                connection.reset()

    async def run(self):
        self.changed = asyncio.Event()
        server = await asyncio.start_server(self.on_connection, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        loop = asyncio.get_running_loop()

        def read():
            for line in sys.stdin:
                loop.call_soon_threadsafe(self.change, line.strip())
            os._exit(0)
        threading.Thread(target=read, daemon=True).start()
        await asyncio.Event().wait()


class Proxy:
    """The program, for others."""

    def __init__(self, port):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(port)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def be(self, mode):
        self.process.stdin.write(mode + "\n")
        self.process.stdin.flush()


if __name__ == "__main__":
    asyncio.run(Network(int(sys.argv[1])).run())
