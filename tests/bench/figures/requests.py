"""HTTP requests at a rate, or as fast as the answers come, over connections that are kept."""

import asyncio
import re
import time

import uvloop

STATUS, LENGTH = re.compile(rb"HTTP/1\.1 (\d{3}) "), re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Connection:
    """One at a time: a request, then its answer."""

    def __init__(self, address):
        self.host, self.port = address.rsplit(":", 1)

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, int(self.port))
        return self

    async def ask(self, request):
        """(status, head, body)"""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(STATUS.match(head)[1]), head, body

    def close(self):
        self.writer.close()


async def _at_rate(queue, rate, seconds):
    """Puts the times at which requests are due, whether or not anybody is free to send them."""
    begun = time.monotonic()
    for n in range(int(rate * seconds)):
        due = begun + n / rate
        await asyncio.sleep(max(due - time.monotonic(), 0))
        queue.put_nowait(due)


async def _serve(user, queue, took):
    while (due := await queue.get()) is not None:
        await user()
        took.append(time.monotonic() - due)


async def _hurry(user, end, took):
    while (due := time.monotonic()) < end:
        await user()
        took.append(time.monotonic() - due)


async def load(users, rate, seconds):
    """Calls the `users` (each call is one request), each for one at a time: `rate` calls a second,
    or, with None, as fast as they return.

    Returns the sorted durations and the seconds of all together. At a rate, a request's time begins
    when it was due: a wait for a free user, or for this program, counts.
    """
    took, begun = [], time.monotonic()
    if rate is None:
        await asyncio.gather(*(_hurry(user, begun + seconds, took) for user in users))
    else:
        queue = asyncio.Queue()
        serving = [asyncio.create_task(_serve(user, queue, took)) for user in users]
        await _at_rate(queue, rate, seconds)
        for _ in users:
            queue.put_nowait(None)
        await asyncio.gather(*serving)
    return sorted(took), time.monotonic() - begun


def run(coroutine):
    return uvloop.run(coroutine)


def percentile(sorted_values, part):
    return sorted_values[min(int(len(sorted_values) * part), len(sorted_values) - 1)]
