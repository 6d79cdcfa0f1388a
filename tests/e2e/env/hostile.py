"""Receivers that mean harm, or know no better: their answers are bytes by hand, a port a behaviour.

Runs alone:  hostile.py   prints one JSON line {name: port} and serves until its stdin closes.
"""

import asyncio
import gzip
import json
import re
import socket
import struct
import sys

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"content-length: 0\r\n\r\n"
TICK_S = 1.0  # one byte a second
PIECE = b"0123456789abcdef" * 512

BEHAVIOURS = {}
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


class Peer:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def request(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        await self.reader.readexactly(int(_LENGTH.search(head)[1]))

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def send_for_ever(self, piece=PIECE):
        while True:
            await self.send(piece)
            # Others have their turn, even while the other side reads as fast as this one writes.
            await asyncio.sleep(0)

    async def dribble(self, data):
        for n in range(len(data)):
            await self.send(data[n : n + 1])
            await asyncio.sleep(TICK_S)

    async def silence(self):
        """Until the other side ends the connection."""
        while await self.reader.read(1 << 16):
            pass

    async def reset(self):
        # Not before the request is read: a reset throws unread bytes away.
        await asyncio.sleep(0.1)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def behaviour(function):
    BEHAVIOURS[function.__name__.replace("_", "-")] = function
    return function


def answers(name, data, then=Peer.silence):
    """Reads a request, sends these bytes, and then is silent until the next one, or does what
    `then` does.
    """

    async def act(peer):
        while True:
            await peer.request()
            await peer.send(data)
            if then is not Peer.silence:
                return then and await then(peer)

    BEHAVIOURS[name] = act


def head(*lines, status="200 OK"):
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, "")).encode()


CLOSE, RESET = None, Peer.reset

# The status line and the headers are good; the rest is not.

answers("body-without-end", head(), Peer.send_for_ever)
answers("body-one-byte-a-second", head("content-length: 100"), lambda peer: peer.dribble(b"x" * 100))
answers("body-never", head("content-length: 100"))
answers("body-closed", head("content-length: 100") + b"only this", CLOSE)
answers("body-reset", head("content-length: 100") + b"only this", RESET)
answers("body-shorter-than-said", head("content-length: 100") + b"only this")
answers("body-longer-than-said", head("content-length: 2") + b"x" * 5000)
answers("body-half-closed", head() + b"text", lambda peer: peer.writer.write_eof() or peer.silence())
answers("length-twice", head("content-length: 2", "content-length: 4000") + b"ab")
answers("length-overlong", head(f"content-length: {'9' * 40}") + b"text", CLOSE)
answers("chunks-broken", head("transfer-encoding: chunked") + b"zzz\r\nabc\r\n")
answers("chunks-overflowing", head("transfer-encoding: chunked") + b"F" * 40 + b"\r\nabc\r\n")
answers("chunks-without-end", head("transfer-encoding: chunked"), lambda peer: peer.send_for_ever(b"400\r\n" + b"x" * 1024 + b"\r\n"))
answers("chunk-extension-without-end", head("transfer-encoding: chunked") + b"5;x=", Peer.send_for_ever)
answers("trailers-without-end", head("transfer-encoding: chunked") + b"0\r\n", lambda peer: peer.send_for_ever(b"x-more: y\r\n"))
BOMB = gzip.compress(bytes(64 << 20), 9)
answers("bomb-content-encoding", head("content-encoding: gzip", f"content-length: {len(BOMB)}") + BOMB)
answers("bomb-transfer-encoding", head("transfer-encoding: gzip") + BOMB, CLOSE)
answers("encoding-that-is-none", head("content-encoding: deflate, br", "content-length: 4") + b"nope")
answers("garbage-behind", EMPTY + b"\x00\xff garbage \r\n\r\n" * 50)
answers("second-answer", EMPTY + b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
answers("says-close-and-stays", head("connection: close", "content-length: 0"))
answers("cookies-and-promises", head(*[f"set-cookie: c{n}=v; domain=.example" for n in range(100)], 'alt-svc: h2=":1"', "content-length: 0"))
answers("bare-line-feeds", EMPTY.replace(b"\r\n", b"\n"))


@behaviour
async def second_answer_later(peer):
    while True:
        await peer.request()
        await peer.send(EMPTY)
        await asyncio.sleep(0.2)
        await peer.send(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")


@behaviour
async def speaks_first(peer):
    while True:
        await peer.send(EMPTY)
        await peer.request()


# Statuses that want something of us.

answers("redirect-to-itself", head("location: /", "content-length: 0", status="302 Found"))
answers("wants-a-password", head("www-authenticate: NTLM", "www-authenticate: Basic realm=x", "content-length: 0", status="401 No"))
answers("wants-a-proxy-password", head("proxy-authenticate: Basic realm=x", "content-length: 0", status="407 No"))
answers("too-early", head("content-length: 0", status="425 Too Early"))
answers("status-beyond", head("content-length: 0", status="999 What"))
RETRY_AFTER = {
    "huge": "100000000",
    "overflowing": "9" * 60,
    "far-date": "Fri, 31 Dec 9999 23:59:59 GMT",
    "negative": "-5",
    "garbage": "soon",
    "binary": "\x01\x7f",
    "long": "1" * 5000,
}
for name, value in RETRY_AFTER.items():
    answers(f"retry-after-{name}", head(f"retry-after: {value}", "content-length: 0", status="503 No"))


@behaviour
async def redirect_elsewhere(peer):
    """To a port of ours that tells."""
    while True:
        await peer.request()
        await peer.send(head(f"location: http://127.0.0.1:{PORTS['nobody-comes-here']}/", "content-length: 0", status="307 There"))


@behaviour
async def nobody_comes_here(peer):
    print("somebody came", file=sys.stderr, flush=True)


# No answer, or not in time.

answers("silent", b"")
answers("status-line-one-byte-a-second", b"", lambda peer: peer.dribble(EMPTY))
answers("headers-one-byte-a-second", OK, lambda peer: peer.dribble(b"x-slow: " + b"y" * 100))
answers("headers-that-stop", head()[:-2] + b"x: y\r\n")
answers("continue-and-no-more", head(status="100 Continue"))


@behaviour
async def never_reads(peer):
    peer.writer.transport.pause_reading()
    await asyncio.sleep(5)


# An answer that is none.

answers("headers-without-end", OK, lambda peer: peer.send_for_ever(b"x-more: and more\r\n"))
answers("header-line-without-end", OK + b"x-more: ", Peer.send_for_ever)
answers("header-line-of-a-megabyte", OK + b"x-more: " + b"y" * (1 << 20) + b"\r\ncontent-length: 0\r\n\r\n")
answers("headers-ten-thousand", OK + b"x: y\r\n" * 10_000 + b"content-length: 0\r\n\r\n")
answers("continue-for-ever", b"", lambda peer: peer.send_for_ever(head(status="100 Continue")))
answers("early-hints-flood", b"", lambda peer: peer.send_for_ever(head("link: </a>; rel=preload", "retry-after: 1", status="103 Early Hints")))
answers("switching-protocols", head("upgrade: websocket", "connection: upgrade", status="101 Switching Protocols"))
answers("length-negative", head("content-length: -5") + b"text")
answers("nul-in-a-header", OK + b"x: a\x00b\r\ncontent-length: 0\r\n\r\n")
answers("status-of-zeros", head("content-length: 0", status="000 Nothing"))
answers("status-of-letters", head("content-length: 0", status="abc Nothing"))
answers("version-from-the-future", EMPTY.replace(b"/1.1", b"/9.9"))
answers("http-0.9", b"<html>hello</html>", CLOSE)
answers("http-2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18) + b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\xef\x00\x01")
answers("garbage", bytes(range(128, 256)) * 40, CLOSE)
answers("tls-alert", b"\x15\x03\x01\x00\x02\x02\x46", CLOSE)
answers("closed-in-the-status-line", b"HTTP/1.1 20", CLOSE)
answers("closed-in-the-headers", OK + b"x: y\r\nretry-af", CLOSE)
answers("closed-in-a-continue", head(status="100 Continue"), CLOSE)

# A connection that breaks.

answers("closed-unanswered", b"", CLOSE)
answers("reset-unanswered", b"", RESET)
answers("reset-in-the-status-line", b"HTTP/1.1 20", RESET)
answers("reset-in-the-headers", OK + b"x: y\r\n", RESET)


@behaviour
async def closes_at_once(peer):
    pass


# Spoken to with https.


@behaviour
async def https_plain(peer):
    await peer.send(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\ncontent-length: 0\r\n\r\n")
    await peer.silence()


@behaviour
async def https_silent(peer):
    await peer.silence()


@behaviour
async def https_one_byte_a_second(peer):
    await peer.dribble(b"\x16\x03\x03\x40\x00" + bytes(100))


@behaviour
async def https_garbage(peer):
    await peer.send(bytes(range(256)) * 64)
    await peer.silence()


@behaviour
async def https_records_without_end(peer):
    """HelloRequest, which a client must ignore in a handshake. Source: RFC 5246 section 7.4.1.1."""
    await peer.send_for_ever(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000)


@behaviour
async def https_closes(peer):
    await peer.reader.read(1)


@behaviour
async def https_resets(peer):
    await peer.reader.read(1)
    await peer.reset()


PORTS = {}


def serve(act):
    async def meet(reader, writer):
        try:
            await act(Peer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    return asyncio.start_server(meet, "127.0.0.1", 0, limit=1 << 20)


async def main():
    for name, act in BEHAVIOURS.items():
        server = await serve(act)
        PORTS[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(PORTS), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
