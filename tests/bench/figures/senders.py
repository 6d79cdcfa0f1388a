"""The two senders, bench_delivery (the engine) and bench_floor, and the files that pairs of them
need.
"""

import subprocess

from env.paths import BIN


def send(program, receiver_ports, **options):
    """Runs one, and returns its figures: cpu_us_per_delivery, wall_us_per_delivery, ... Keywords
    are its options.
    """
    command = [BIN / program]
    for name, value in options.items():
        if value is not None:
            command += ["--" + name.replace("_", "-"), value]
    for port in receiver_ports:
        command += ["--port", port]
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, f"{program}: {answer.stderr[-2000:]}"
    lines = (line.split() for line in answer.stdout.splitlines())
    return {name: value if name == "public_key" else float(value) for name, value in lines}


def engine(ports, **options):
    figures = send("bench_delivery", ports, **options)
    assert "failed" not in figures, f"{figures['failed']:.0f} deliveries failed"
    return figures


def floor(ports, **options):
    return send("bench_floor", ports, **options)


def in_turns(repeats, one, other):
    """[(one's, other's)]: each pair is measured one after the other, by turns in this order and in
    that.
    """
    pairs = []
    for n in range(repeats):
        if n % 2:
            second = other()
            pairs.append((one(), second))
        else:
            first = one()
            pairs.append((first, other()))
    return pairs
