"""A TCP proxy before the brokers that knows just enough of Kafka's protocol to misbehave at the
right moment.

Runs alone:  proxy.py [--tls DIR] PORT TARGET...   listens on PORT, PORT+1, ... for the targets;
obeys JSON lines on stdin, answers each with one; ends with its stdin. DIR holds the certificates of
a locked Kafka: both sides speak TLS then, and the proxy has the brokers' own certificate.

    {"do": "cut"}              every connection is closed
    {"do": "delay", "s": 0.3}  whatever goes through waits so long, in both directions; 0 ends it
    {"do": "silence"}          nothing goes through, nothing is closed: half-open, as by a cut cable
    {"do": "heal"}             goes on; silent connections are closed; answers {"missed": true}
                               when nobody came into the ambush
    {"do": "ambush", "api": 26, "when": "before"|"after"}
                               the next request of this kind (26 is EndTxn) and the connection with
                               it: lost before the broker saw it, or its answer after
"""

import argparse
import asyncio
import json
import ssl
import struct
import sys
from pathlib import Path

import uvloop

API_KEY = struct.Struct(">h")
LENGTH = struct.Struct(">i")


class Link:
    """One client's connection and its twin to the broker."""

    def __init__(self, proxy, client, broker):
        self.proxy, self.client, self.broker = proxy, client, broker
        self.drops_answers = False

    def close(self):
        for _, writer in (self.client, self.broker):
            writer.transport.abort()

    async def requests(self):
        """Whole frames, for their kind. Source: Kafka protocol guide, "Protocol Primitives" and
        "Requests".
        """
        reader, _ = self.client
        while True:
            head = await reader.readexactly(LENGTH.size)
            frame = await reader.readexactly(LENGTH.unpack(head)[0])
            await self.proxy.passage()
            verdict = self.proxy.verdict(API_KEY.unpack_from(frame)[0])
            if verdict == "before":
                return
            self.drops_answers |= verdict == "after"
            await self.pass_on(self.broker[1], head + frame)

    async def answers(self):
        reader, _ = self.broker
        while data := await reader.read(1 << 16):
            await self.proxy.passage()
            if self.drops_answers:
                return
            await self.pass_on(self.client[1], data)

    @staticmethod
    async def pass_on(writer, data):
        writer.write(data)
        await writer.drain()

    async def run(self):
        tasks = [asyncio.ensure_future(work) for work in (self.requests(), self.answers())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.close()


class Proxy:
    def __init__(self, to_brokers):
        self.to_brokers = to_brokers  # of TLS, or None
        self.links = set()
        self.delay_s = 0
        self.open = asyncio.Event()
        self.open.set()
        self.ambushed = None

    async def passage(self):
        await self.open.wait()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)

    def verdict(self, api):
        if self.ambushed is None or self.ambushed["api"] != api:
            return None
        when, self.ambushed = self.ambushed["when"], None
        return when

    async def accept(self, target, reader, writer):
        await self.open.wait()
        try:
            broker = await asyncio.open_connection("127.0.0.1", target, ssl=self.to_brokers)
        except OSError:
            writer.transport.abort()
            return
        link = Link(self, (reader, writer), broker)
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)

    def obey(self, order):
        """Returns the answer's members."""
        missed = False
        match order["do"]:
            case "cut":
                self.cut()
            case "delay":
                self.delay_s = order["s"]
            case "silence":
                self.open.clear()
            case "heal":
                missed = self.ambushed is not None
                self.delay_s, self.ambushed = 0, None
                if not self.open.is_set():
                    self.cut()
                    self.open.set()
            case "ambush":
                self.ambushed = order
        return {"missed": missed}

    def cut(self):
        for link in list(self.links):
            link.close()


def contexts(secrets):
    """(for clients, to brokers)"""
    if secrets is None:
        return None, None
    for_clients = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for_clients.load_cert_chain(secrets / "broker.keystore.pem")
    return for_clients, ssl.create_default_context(cafile=secrets / "ca.pem")


async def serve(port, targets, secrets):
    for_clients, to_brokers = contexts(secrets)
    proxy = Proxy(to_brokers)
    for n, target in enumerate(targets):
        accept = lambda r, w, target=target: proxy.accept(target, r, w)
        await asyncio.start_server(accept, "127.0.0.1", port + n, limit=1 << 24, ssl=for_clients)
    print("{}", flush=True)
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        print(json.dumps(proxy.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("targets", type=int, nargs="+")
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.targets, given.tls))
