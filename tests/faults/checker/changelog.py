"""Properties of the changelog and of its folds: ours, the model's, SQLite's."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from . import ids, rules
from .verdict import Property, Verdict
import itertools

# Positions

INPUTS = "adminOffset", "issuanceOffset", "eventOffset"
NEEDS_ALL = "the changelog was compacted"


def one_store(history):
    verdict = Verdict()
    for partition, positions in history.positions.items():
        first = positions[0].value["storeId"]
        for at in positions:
            verdict.look(at.value["storeId"] == first, f"[{partition}]@{at.offset}: store {at.value['storeId']}, before it was {first}")
    return verdict


def _pairs(history):
    for partition, positions in history.positions.items():
        for before, after in itertools.pairwise(positions):
            yield partition, before, after


def sequences(history):
    """From 1, without gap or repeat; of a compacted changelog only that they rise."""
    verdict = Verdict()
    for partition, positions in history.positions.items():
        first = positions[0]
        number = first.value["sequence"]
        verdict.look(number >= 1 if history.compaction else number == 1, f"[{partition}]@{first.offset}: begins with sequence {number}")
    for partition, before, after in _pairs(history):
        step = after.value["sequence"] - before.value["sequence"]
        verdict.look(
            step > 0 if history.compaction else step == 1,
            f"[{partition}]@{after.offset}: sequence {after.value['sequence']} follows {before.value['sequence']}",
        )
    return verdict


def generations(history):
    verdict = Verdict()
    for partition, positions in history.positions.items():
        verdict.look(positions[0].value["generation"] >= 0, f"[{partition}]@{positions[0].offset}: generation below 0")
    for partition, before, after in _pairs(history):
        was, now = before.value["generation"], after.value["generation"]
        verdict.look(now >= was, f"[{partition}]@{after.offset}: generation {now} follows {was}")
    return verdict


def inputs_go_on(history):
    """A position never takes an input back: no command is processed twice."""
    verdict = Verdict()
    for partition, positions in history.positions.items():
        verdict.look(all((positions[0].value.get(name) or 0) >= 0 for name in INPUTS), f"[{partition}]@{positions[0].offset}: an offset below 0")
    for partition, before, after in _pairs(history):
        for name in INPUTS:
            was, now = before.value.get(name), after.value.get(name)
            verdict.look((now or 0) >= (was or 0), f"[{partition}]@{after.offset}: {name} {now} follows {was}")
    return verdict


def record_counts(history):
    if history.compaction:
        return Verdict(not_judged=NEEDS_ALL)
    verdict, counts = Verdict(), {}
    for change in history.changes:
        if change.key != "position":
            counts[change.partition] = counts.get(change.partition, 0) + 1
            continue
        count, told = counts.pop(change.partition, 0), change.value["recordCount"]
        verdict.look(count == told, f"[{change.partition}]@{change.offset}: {count} records, its position counts {told}")
    for partition, count in counts.items():
        verdict.look(False, f"[{partition}]: {count} records behind the last position")
    return verdict


# The model and the fold


def _part(text):
    return text.replace("%", "%25").replace("/", "%2F")


def _by_key(history, kind):
    """{key: value}, and the keys that lie in two partitions."""
    found, twice = {}, []
    for (key, partition), value in history.folded.items():
        if key.partition("/")[0] == kind:
            if key in found:
                twice.append(f"{key} lies in two partitions, one of them {partition}")
            found[key] = value
    return found, twice


def _differences(wanted, got):
    return [f"{name} {got.get(name)!r}, the model says {value!r}" for name, value in wanted.items() if value is not None and got.get(name) != value]


def _compare(history, kind, model, may_be_gone=lambda wanted: False, shown=lambda value: value):
    folded, twice = _by_key(history, kind)
    verdict = Verdict(wrong=twice)
    for key in model.keys() | folded.keys():
        wanted, got = model.get(key), folded.get(key)
        if wanted is None:
            verdict.look(False, f"{key} is in the changelog, not in the model")
        elif got is None:
            verdict.look(may_be_gone(wanted), f"{key} is in the model, not in the changelog")
        else:
            wrong = _differences(wanted, shown(got))
            verdict.look(not wrong, f"{key}: {'; '.join(wrong)}")
    return verdict


def _now_ms(history):
    return max((change.time_ms for change in history.changes), default=0)


def _is_over(history, name):
    now = _now_ms(history)
    return lambda wanted: wanted[name] is not None and wanted[name] <= now


def _webhook(value):
    """The optional members, and how often its secret was rotated, in one form for both editions."""
    secret = value.get("secretEpoch", 0) if value.get("secretMasterKeyId") else "none"
    return value | {"members": rules.members(value), "secret": secret}


def webhooks(history):
    model = {
        f"webhook/{_part(tenant.name)}/{id}": fields | {"id": id, "tenantId": tenant.name, "secret": tenant.secrets.get(id, "none")}
        for tenant in history.replay.tenants.values()
        for id, fields in tenant.webhooks.items()
    }
    return _compare(history, "webhook", model, shown=_webhook)


def _thumbprint(x):
    """Source: RFC 7638 section 3, RFC 8037 section 2."""
    encoded = base64.urlsafe_b64encode(x).rstrip(b"=").decode()
    digest = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{encoded}"}}'.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signing_keys(history):
    """By tenant and epoch: the model derives no keys, but knows which there are, and that a kid
    names its key.
    """
    folded, twice = _by_key(history, "key")
    verdict, got = Verdict(wrong=twice), {}
    for key, value in folded.items():
        if key != f"key/{_part(value['tenantId'])}/{value['kid']}" or value["kid"] != _thumbprint(value["x"]):
            verdict.wrong.append(f"{key}: holds {value['tenantId']}, {value['kid']}, which is not the thumbprint of its key")
        if got.setdefault((value["tenantId"], value["epoch"]), value) is not value:
            verdict.wrong.append(f"{key}: epoch {value['epoch']} of {value['tenantId']} is there twice")
    wanted = {(tenant.name, key["epoch"]): key for tenant in history.replay.tenants.values() for key in tenant.keys}
    over = _is_over(history, "expiresAt")
    for name in wanted.keys() | got.keys():
        if name not in wanted or name not in got:
            verdict.look(name in wanted and over(wanted[name]), f"key {name} is only in the {'model' if name in wanted else 'changelog'}")
        else:
            wrong = _differences(wanted[name], got[name])
            if wanted[name]["expiresAt"] is None and got[name]["expiresAt"] is not None:
                wrong.append("it expires, in the model it signs")
            verdict.look(not wrong, f"key {name}: {'; '.join(wrong)}")
    return verdict


def receipts(history):
    keep = history.settings.receipt_retention_ms
    model = {
        f"receipt/{_part(tenant.name)}/{_part(id)}": {
            "tenantId": tenant.name,
            "commandId": id,
            "outcome": receipt.outcome,
            "status": receipt.answer.status,
            "createdAt": receipt.created_ms,
            "expiresAt": receipt.written_ms + keep if receipt.written_ms else None,
        }
        for tenant in history.replay.tenants.values()
        for id, receipt in tenant.receipts.items()
    }
    return _compare(history, "receipt", model, _is_over(history, "expiresAt"))


def pending(history):
    """created - finished = pending, delivery by delivery; those that ended too, for as long as they
    are kept: what succeeded only where the worker knew that all others could read it.
    """
    model = {
        f"delivery/{delivery.id}": {
            "id": delivery.id,
            "tenantId": delivery.tenant,
            "webhookId": delivery.webhook,
            "commandId": delivery.command,
            "eventType": delivery.event_type,
            "eventId": ids.event(delivery.tenant, delivery.command, delivery.event_type),
            "status": delivery.status,
            "attempts": delivery.attempts,
            "nextAttemptAt": delivery.next_ms,
        }
        for delivery in history.replay.deliveries.values()
        if delivery.status in ("pending", "dead", "succeeded")
    }
    dead_before = _now_ms(history) - history.settings.dead_retention_ms
    may_be_gone = lambda wanted: wanted["status"] == "succeeded" or (wanted["status"] == "dead" and wanted["nextAttemptAt"] < dead_before)
    verdict = _compare(history, "delivery", model, may_be_gone)
    # One that ended is looked at as well: it must not be there.
    verdict.looked += sum(delivery.status == "gone" for delivery in history.replay.deliveries.values())
    return verdict


# Folds

_NAMES = {"webhook": "Webhook", "key": "SigningKey", "delivery": "Delivery", "receipt": "Receipt", "position": "Position"}


def _fields(definition):
    """Every (name of its record, name, type) of a field in a schema."""
    if isinstance(definition, list):
        for branch in definition:
            yield from _fields(branch)
    elif isinstance(definition, dict):
        for field in definition.get("fields", ()):
            yield definition["name"], field["name"], field["type"]
        for part in definition.values():
            yield from _fields(part)


def _is_time(type):
    branches = type if isinstance(type, list) else [type]
    return any(isinstance(branch, dict) and branch.get("logicalType") == "timestamp-millis" for branch in branches)


_AVRO = Path(__file__).parents[3] / "worker/avro"
_SCHEMA, _FIRST = (json.loads((_AVRO / name).read_text()) for name in ("state-record.avsc", "edition-1/state-record.avsc"))
_TIMES = {name for _, name, type in _fields(_SCHEMA) if _is_time(type)}
# Shown where they were given: those that the second edition has added to records of the first, and
# some of its own records.
_OF_FIRST = {(record, name) for record, name, _ in _fields(_FIRST)}
_RECORDS_OF_FIRST = {record for record, _ in _OF_FIRST}
_ADDED = {name for record, name, _ in _fields(_SCHEMA) if record in _RECORDS_OF_FIRST and (record, name) not in _OF_FIRST}
_OPTIONAL = _ADDED - {"secret"} | {"credentialConfigurationId", "format", "credentialProfile", "eventId"}
_SEALED_KEY_ID = 16  # bytes of a sealed value, which begins with its master key's id


def shown_time(ms):
    """As all programs show it."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def _shown(value, name=""):
    """As `state dump` shows it."""
    if isinstance(value, dict):
        # A secret's own record has a member of that name, which is always shown.
        optional = _OPTIONAL if "epoch" in value else _OPTIONAL | {"secret"}
        return {key: _shown(item, key) for key, item in value.items() if item or key not in optional}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if name == "sealed":
        return value[:_SEALED_KEY_ID].decode()
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    if isinstance(value, int) and name in _TIMES:
        return shown_time(value)
    return value


def _lines(dump):
    """{(key, partition): the line}"""
    found = {}
    for line in dump.splitlines():
        row = json.loads(line)
        found[row["key"], row["partition"]] = line
    return found


def dump_is_fold(history):
    """posthorn-admin's fold of the changelog equals ours."""
    verdict, dumped = Verdict(), _lines(history.dump)
    for name in history.folded.keys() | dumped.keys():
        value, line = history.folded.get(name), dumped.get(name)
        if value is None or line is None:
            verdict.look(False, f"{name} is only in the {'dump' if value is None else 'changelog'}")
            continue
        wanted = {"type": _NAMES[name[0].partition("/")[0]]} | _shown(value)
        verdict.look(json.loads(line)["value"] == wanted, lambda name=name, line=line: f"{name}: dumped as {line[:200]}")
    return verdict


def _position(lines, partition):
    line = lines.get(("position", partition))
    return json.loads(line)["value"]["sequence"] if line else 0


def replicas(history):
    """SQLite of every worker that stands at a partition's last position, and there must be one, the
    last writer's if its file is there.
    """
    verdict, dumped = Verdict(), _lines(history.dump)
    by_worker = {worker: _lines(dump) for worker, dump in history.replicas.items()}
    for partition, positions in history.positions.items():
        last = positions[-1].value
        wanted = {name: line for name, line in dumped.items() if name[1] == partition}
        holders = [worker for worker, lines in by_worker.items() if _position(lines, partition) >= last["sequence"]]
        if not holders:
            verdict.wrong.append(f"[{partition}]: no replica stands at sequence {last['sequence']}, which {last['memberId']} wrote")
        for worker in holders:
            got = {name: line for name, line in by_worker[worker].items() if name[1] == partition}
            for name in wanted.keys() | got.keys():
                verdict.look(
                    wanted.get(name) == got.get(name),
                    lambda worker=worker, name=name, got=got: f"{worker}: {name} is {got.get(name, 'not there')[:200]}",
                )
    return verdict


def restored(history):
    verdict = Verdict()
    wanted, got = history.dump_then.splitlines(), history.restored.splitlines()
    for number, line in enumerate(wanted):
        verdict.look(number < len(got) and got[number] == line, f"line {number + 1}: {line[:200]}")
    if history.restored != history.dump_then and not verdict.wrong:
        verdict.wrong.append(f"{len(got)} lines restored, {len(wanted)} in the changelog")
    return verdict


PROPERTIES = [
    Property("one-store", "a partition has one store id", one_store),
    Property("sequences", "a partition's positions are numbered without gap or repeat", sequences),
    Property("generations", "the group's generation never falls", generations),
    Property("inputs-go-on", "positions never go back in an input", inputs_go_on),
    Property("record-counts", "a position counts its transaction's records", record_counts),
    Property("webhooks-model", "the changelog holds the model's webhooks", webhooks),
    Property("keys-model", "the changelog holds the model's signing keys", signing_keys),
    Property("receipts-model", "the changelog holds a receipt of each outcome of the model", receipts),
    Property("pending", "created less finished deliveries are those in the changelog", pending),
    Property("dump-is-fold", "posthorn-admin folds the changelog as we do", dump_is_fold),
    Property("replicas", "the workers' replicas are the folded changelog, byte by byte", replicas),
    Property("restored", "a replica restored from nothing dumps the same bytes", restored),
]
