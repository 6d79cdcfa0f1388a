"""The first judgement, by one reader's records; `check` judges by everything."""

from collections import Counter

LINES_MAX = 5


def shown(items):
    return f"{len(items)}, as {items[:LINES_MAX]}"


def problems(watch, sent):
    """Records that a read_committed reader of the results must not have seen. Once in a hundred
    thousand commands, when a broker dies, the load's own producer writes a batch twice: then there
    are more answers than it knows of. `check` counts the records themselves.
    """
    wrong = {key: (c.starts, c.ends) for key, c in watch.commands.items() if not c.starts == c.ends >= sent.get(key, float("inf"))}
    lost = [key for key, times in sent.items() if times and key not in watch.commands]
    open_ = [id for id, d in watch.deliveries.items() if d.received != 1 or d.succeeded + d.failed < 1 or d.succeeded > 1 + d.resent]
    if wrong:
        yield f"commands without one START and one outcome (starts, outcomes): {shown(list(wrong.items()))}"
    if lost:
        yield f"commands without any event: {shown(lost)}"
    if open_:
        yield f"deliveries that did not begin once and end: {shown(open_)}"
    if watch.repeated_ids:
        yield f"events that came twice: {shown(watch.repeated_ids)}"


def leaks(pool, gateway, secret):
    """Where a secret's bytes stand: in no log, in no replica and in no history."""
    files = [gateway.log, *gateway.files()]
    for member in pool:
        files += [member.log, *member.replica.parent.glob("replica.db*")]
    for file in files:
        if secret.encode() in file.read_bytes():
            yield f"{file} has a header's value"


def duplicates(receivers):
    """(callbacks, how many of them had been taken before)."""
    receivers.read()
    requests = [request for path in receivers.by_path.values() for request in path]
    taken = Counter(request.id for request in requests if 200 <= request.answered < 300)
    return len(requests), sum(times - 1 for times in taken.values())
