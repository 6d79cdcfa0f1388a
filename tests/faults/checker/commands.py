"""Properties of commands and of their answers."""

from collections import Counter

from . import rules
from .history import ADMIN, ISSUANCE, OWN
from .verdict import Property, Verdict


def _told(command):
    return f"{command.operation or 'record'} {command.id!r} of tenant {command.tenant!r} at {command.topic}[{command.partition}]@{command.offset}"


def _how_answered(history, command, by_id):
    """One that takes several turns is answered by the last copy of its record."""
    last = history.copies.get(command.place, [command])[-1]
    start, end = by_id.get(history.id_of(command, 0), []), by_id.get(history.id_of(last, 1), [])
    subject = rules.SUBJECTS[command.operation]
    if len(start) != 1 or len(end) != 1:
        return f"{len(start)} START, {len(end)} SUCCESS or FAIL"
    if start[0].type != f"{subject}_START" or end[0].type not in (f"{subject}_SUCCESS", f"{subject}_FAIL"):
        return f"answered with {start[0].type}, {end[0].type}"
    if any((event.tenant, event.command) != (command.tenant, command.id) for event in (start[0], end[0])):
        return "answered in another's name"
    return None if start[0].place < end[0].place else "its end stands before its START"


def answered_once(history):
    """A command is answered, or a dead letter, and never both."""
    verdict, letters, by_id = Verdict(), Counter(history.dead_letters), {}
    for event in history.events:
        by_id.setdefault(event.id, []).append(event)
    for command in history.commands:
        count = letters[command.place]
        if command.misplaced or (command.resumes and count == 0):
            continue  # rerouted-once, goes-on
        if count == 0 and command.operation is None:
            fault = "neither readable nor a dead letter"
        elif count == 0:
            fault = _how_answered(history, command, by_id)
        else:
            answer = by_id.get(history.id_of(command, 0))
            fault = "dead letter and answered" if answer else None if count == 1 else f"{count} dead letters"
        verdict.look(not fault, lambda command=command, fault=fault: f"{_told(command)}: {fault}")
    places = {command.place for command in history.commands}
    for place in letters:
        if place not in places:
            verdict.wrong.append(f"dead letter of {place}, which is no record")
    return verdict


def answers_belong(history):
    """No answer is without its command. A delivery's events name the one that recorded it."""
    verdict = Verdict()
    known = {history.id_of(command, index) for command in history.commands if command.operation for index in (0, 1)}
    for event in history.events:
        if event.command is not None and not (event.data and "deliveryId" in event.data and event.type.startswith("WEBHOOK_EVENT_")):
            verdict.look(event.id in known, lambda event=event: f"{event.type} {event.id} of {event.command!r} belongs to no command")
    return verdict


def events_once(history):
    verdict, seen = Verdict(), {}
    for event in history.events:
        at = seen.setdefault(event.id, event)
        verdict.look(at is event, lambda event=event, at=at: f"{event.type} {event.id} at {event.place} was told before, as {at.type} at {at.place}")
    return verdict


def answers_in_order(history):
    """A tenant's commands of one topic are answered in their order there."""
    verdict, last = Verdict(), {}
    for command in history.commands:
        start = history.answer_of(command, 0) if command.operation else None
        if not start:
            continue
        line = command.topic, command.tenant
        verdict.look(start.place > last.get(line, (-1, -1)), lambda command=command: f"{_told(command)}: answered before the one before it")
        last[line] = start.place
    return verdict


def _how_rerouted(command, copies, letters):
    if len(copies) + letters != 1:
        return f"{len(copies)} copies, {letters} dead letters"
    if letters:
        return None
    if copies[0].misplaced:
        return f"its copy is in a wrong partition too, at {copies[0].place}"
    return None if copies[0].content == command.content else f"its copy at {copies[0].place} is another record"


def rerouted_once(history):
    """Of each record in another partition than its key's there is one copy, or one dead letter.
    What came from one partition keeps its order.
    """
    verdict, letters, copies, last = Verdict(), Counter(history.dead_letters), {}, {}
    misplaced = {command.place for command in history.commands if command.misplaced}
    for command in history.commands:
        if not command.came_from:
            continue
        original = command.topic, *command.came_from
        copies.setdefault(original, []).append(command)
        line = command.topic, command.came_from[0], command.partition
        if original not in misplaced:
            verdict.wrong.append(f"{_told(command)}: handed on from {original}, where no record was misplaced")
        elif command.came_from[1] < last.get(line, -1):
            verdict.wrong.append(f"{_told(command)}: handed on from {original}, behind one that came after it")
        last[line] = command.came_from[1]
    for command in history.commands:
        if command.misplaced:
            fault = _how_rerouted(command, copies.get(command.place, []), letters[command.place])
            verdict.look(not fault, lambda command=command, fault=fault: f"{_told(command)}, misplaced: {fault}")
    return verdict


def _how_gone_on(history, place, copies):
    if place is None:
        return "a copy of a command that was not begun, or was answered"
    if copies[0].operation != "RecoverDeliveries":
        return "no recovery"
    if any(history.answer_of(copy, 0) for copy in copies):
        return "begun again by a copy"
    return "answered by a copy that was not the last" if any(history.answer_of(copy, 1) for copy in copies[:-1]) else None


def goes_on(history):
    """A recovery that takes several turns goes on by copies of its record, each written once: it
    begins with the first record, and is answered with the last copy.
    """
    if not history.copies and any(command.operation == "RecoverDeliveries" for command in history.commands):
        return Verdict(not_judged="no recovery took more than a turn")
    verdict = Verdict()
    for place, copies in history.copies.items():
        fault = _how_gone_on(history, place, copies)
        verdict.look(not fault, lambda copies=copies, fault=fault: f"{_told(copies[0])}, with {len(copies)} copies: {fault}")
    return verdict


def _of_replay(name):
    def judge(history):
        return Verdict(history.replay.looked[name], history.replay.wrong[name])

    return judge


def offsets_at_rest(history):
    """The group's offsets, the last position and the end of the input say the same."""
    verdict = Verdict()
    for partition in range(history.partitions):
        last = history.positions.get(partition, [None])[-1]
        for topic, name in ((ADMIN, "adminOffset"), (ISSUANCE, "issuanceOffset"), (OWN, "eventOffset")):
            committed = history.offsets.get((topic, partition))
            end = 1 + max((c.offset for c in history.commands if (c.topic, c.partition) == (topic, partition)), default=-1)
            if end == 0 and (last is None or topic == OWN):
                continue  # an event of one's own is committed with the first one
            wanted = (last.value.get(name) or 0, f"{last.value['storeId']}/{last.value['sequence']}") if last else (end, "a position")
            got = (max(committed.offset, 0), committed.metadata) if committed else None
            verdict.look(
                got == wanted,
                lambda topic=topic, p=partition, got=got, wanted=wanted: f"{topic}[{p}]: committed is {got}, the position says {wanted}",
            )
            if wanted[0] < end:
                verdict.wrong.append(f"{topic}[{partition}]: read up to {wanted[0]}, there are records up to {end}")
    return verdict


PROPERTIES = [
    Property("answered-once", "every command has one START and one SUCCESS or FAIL, or is one dead letter", answered_once),
    Property("answers-belong", "every answer belongs to a command", answers_belong),
    Property("answers-in-order", "a tenant's commands of a topic are answered in their order", answers_in_order),
    Property("rerouted-once", "a command in a wrong partition is handed on once, unchanged and in order, or is one dead letter", rerouted_once),
    Property("goes-on", "a recovery of several turns is begun once, and answered once, when it is done", goes_on),
    Property("events-once", "no analytic event is there twice for a read_committed reader", events_once),
    Property("answers-model", "every command is answered what the model says", _of_replay("answers")),
    Property("recorded-model", "every command records the deliveries that the model says, once", _of_replay("recorded")),
    Property("delivery-lives", "a delivery's events follow its life cycle, attempt by attempt", _of_replay("lives")),
    Property("offsets-at-rest", "committed offsets are the last position's, at the end of the inputs", offsets_at_rest),
]
