"""The receivers' process: many ports, one event loop, HTTP/1.1 parsed by hand, every request
written to one file.

    receiver_server.py RECORDS PORTS [PORT...]

Prints one JSON line, {"control": port, "ports": [...]}, and serves until its stdin closes. PORTS is
the number of ports that it chooses; the named ones come behind them.

Record, little endian:
    <arrival f64> <connection u32> <port u16> <answered u16> <head length u32> <body length u32>
    head body
Control, JSON lines:
    {"rules": {path: [answer, ...]}}  the answers of paths, in order; the last one stays
    {"count": prefix}                 counts
An answer: {"status": 200, "headers": {}, "body": "", "delay": seconds, "hang": bool, "close": bool}
"""

import asyncio
import json
import re
import struct
import sys
import time

import uvloop

HEADER = struct.Struct("<dIHHII")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Recorder:
    """Appends records; a reader sees them within a few milliseconds."""

    FLUSH_S = 0.005

    def __init__(self, path, loop):
        self.file = open(path, "wb", buffering=1 << 20)
        self.loop = loop
        self.dirty = False
        self.counts = {}

    def add(self, path, connection, port, status, head, body):
        self.file.write(HEADER.pack(time.time(), connection, port, status, len(head), len(body)))
        self.file.write(head)
        self.file.write(body)
        self.counts[path] = self.counts.get(path, 0) + 1
        if not self.dirty:
            self.dirty = True
            self.loop.call_later(self.FLUSH_S, self.flush)

    def flush(self):
        self.dirty = False
        self.file.flush()


class Rules:
    """The next answer of each path."""

    def __init__(self):
        self.scripts = {}

    def set(self, rules):
        for path, answers in rules.items():
            self.scripts[path.encode()] = list(answers)

    def next(self, path):
        script = self.scripts.get(path)
        if not script:
            return None
        return script.pop(0) if len(script) > 1 else script[0]


def render(answer):
    body = answer.get("body", "").encode()
    lines = [f"HTTP/1.1 {answer.get('status', 200)} Answer", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    opened = 0

    def __init__(self, server, port):
        self.server, self.port = server, port
        self.buffer = b""

    def connection_made(self, transport):
        Connection.opened += 1
        self.number = Connection.opened
        self.transport = transport

    def data_received(self, data):
        buffer = self.buffer + data if self.buffer else data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(buffer, 0, end)
            total = end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < total:
                break
            self.request(buffer[: end + 4], buffer[end + 4 : total])
            buffer = buffer[total:]
        self.buffer = buffer

    def request(self, head, body):
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        answer = self.server.rules.next(path)
        status = answer.get("status", 200) if answer else 200
        self.server.recorder.add(path, self.number, self.port, status, head, body)
        if answer is None:
            self.transport.write(_OK)
        elif answer.get("delay"):
            self.server.loop.call_later(answer["delay"], self.answer, answer)
        else:
            self.answer(answer)

    def answer(self, answer):
        if answer.get("hang") or self.transport.is_closing():
            return
        if not answer.get("close"):
            self.transport.write(render(answer))
        if answer.get("close") or answer.get("headers", {}).get("Connection") == "close":
            self.transport.close()


class Server:
    def __init__(self, records, loop):
        self.loop = loop
        self.recorder = Recorder(records, loop)
        self.rules = Rules()

    async def listen(self, port=0):
        server = await self.loop.create_server(lambda: None, "127.0.0.1", port, backlog=4096, start_serving=False)
        port = server.sockets[0].getsockname()[1]
        sock = server.sockets[0].dup()
        server.close()
        sock.setblocking(False)
        await self.loop.create_server(lambda: Connection(self, port), sock=sock, backlog=4096)
        return port

    async def control(self, reader, writer):
        while line := await reader.readline():
            request = json.loads(line)
            self.rules.set(request.get("rules", {}))
            prefix = request.get("count", "").encode()
            count = sum(n for path, n in self.recorder.counts.items() if path.startswith(prefix)) if prefix else 0
            writer.write(json.dumps({"count": count}).encode() + b"\n")
            await writer.drain()


async def serve(records, ports, named):
    loop = asyncio.get_running_loop()
    server = Server(records, loop)
    control = await asyncio.start_server(server.control, "127.0.0.1", 0, limit=1 << 24)
    listening = [await server.listen(port) for port in [0] * ports + named]
    print(json.dumps({"control": control.sockets[0].getsockname()[1], "ports": listening}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.recorder.flush()


def main():
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), [int(port) for port in sys.argv[3:]]))


if __name__ == "__main__":
    main()
