"""Verifying a great many callbacks: on every core, each with verifier.verify, none left out."""

import itertools
import mmap
import multiprocessing
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from .receiver import scan
from .receiver_server import HEADER
from .verifier import Jwks, verify


def slices(path, parts):
    """Offsets that cut the file into about equal parts between records."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cuts, offset = [0], 0
        while offset < len(data):
            if offset >= len(data) * len(cuts) // parts:
                cuts.append(offset)
            *_, head, body = HEADER.unpack_from(data, offset)
            offset += HEADER.size + head + body
        return sorted({*cuts, offset})


def verify_slice(path, start, end, keys):
    """Verifies the callbacks for the paths in `keys` ({path: JWKS}); returns {webhook-id: how
    often}.
    """
    jwks = {path: Jwks(document) for path, document in keys.items()}
    seen = Counter()
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for offset, request in scan(memoryview(data), start):
            if request.target in jwks:
                verify(request, jwks[request.target])
                seen[request.id] += 1
            if offset >= end:
                break
    return seen


def over_slices(path, function, *arguments, processes=None):
    """The results of function(path, start, end, *arguments) for slices of the file, in no order."""
    processes = processes or os.cpu_count()
    cuts = slices(path, processes * 4)
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        work = [pool.submit(function, path, start, end, *arguments) for start, end in itertools.pairwise(cuts)]
        return [part.result() for part in work]


def verify_all(path, keys, processes=None):
    """{webhook-id: how often it came}; raises when a single one is not genuine."""
    return sum(over_slices(path, verify_slice, keys, processes=processes), Counter())
