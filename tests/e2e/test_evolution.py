"""A producer's older or newer schema is honoured: the worker is given the writer's schema and
matches fields by name.
"""

import copy
import json

import pytest
from env import commands
from env.avro import Schema

URL = "http://127.0.0.1:9/hook"


def records_of(schema):
    """{name: definition} of the records in it."""
    if isinstance(schema, list):
        return {name: record for each in schema for name, record in records_of(each).items()}
    if isinstance(schema, str):
        return {}
    own = {schema["name"]: schema} if schema["type"] == "record" else {}
    return own | records_of([field["type"] for field in schema.get("fields", [])]) | records_of(schema.get("items", []))


def defined_first(schema, records, seen):
    """The same, with each record defined where it is first named, as Avro wants it."""
    if isinstance(schema, list):
        return [defined_first(each, records, seen) for each in schema]
    if isinstance(schema, str):
        return defined_first(records[schema], records, seen) if schema in records and schema not in seen else schema
    if schema["type"] == "array":
        return schema | {"items": defined_first(schema["items"], records, seen)}
    if schema["type"] != "record":
        return schema
    if schema["name"] in seen:
        return schema["name"]
    seen.add(schema["name"])
    return schema | {"fields": [field | {"type": defined_first(field["type"], records, seen)} for field in schema["fields"]]}


def newer_command(definition):
    """A field more, one in front of another, and another order of the union's branches."""
    schema = copy.deepcopy(definition)
    operation = next(field for field in schema["fields"] if field["name"] == "operation")
    operation["type"].reverse()
    create = next(record for record in operation["type"] if record["name"] == "CreateWebhook")
    create["fields"].insert(0, {"name": "labels", "type": {"type": "map", "values": "string"}, "default": {}})
    create["fields"].reverse()
    schema["fields"].insert(0, {"name": "priority", "type": ["null", "int"], "default": None})
    return defined_first(schema, records_of(schema), set())


def older_command(definition):
    """From before there were requests, clients and disabled webhooks."""
    schema = copy.deepcopy(definition)
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in ("requestId", "clientId")]
    for record in next(field for field in schema["fields"] if field["name"] == "operation")["type"]:
        record["fields"] = [field for field in record["fields"] if field["name"] != "disabled"]
    return schema


def newer_issuance(definition):
    schema = copy.deepcopy(definition)
    schema["fields"].append({"name": "issuer", "type": {"type": "record", "name": "Issuer", "fields": [{"name": "did", "type": "string"}]}})
    schema["fields"].reverse()
    return schema


@pytest.fixture(scope="module")
def writers(schemas):
    return {
        "newer": Schema(newer_command(schemas.command.definition)),
        "older": Schema(older_command(schemas.command.definition)),
        "newer-issuance": Schema(newer_issuance(schemas.issuance.definition)),
    }


@pytest.fixture(scope="module")
def world(make_world, writers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemas")
    for name, schema in writers.items():
        (folder / f"{name}.avsc").write_text(json.dumps(schema.definition))
    with make_world(settings={"schema.dir": folder}) as world:
        world.worker()
        yield world


def test_newer_command(world, writers):
    tenant = world.tenant()
    value = commands.command(tenant, commands.create(URL, disabled=True), request_id="request-1") | {"priority": 3}
    value["operation"][1]["labels"] = {"team": "a"}
    world.writer.place("webhook-admin", tenant, writers["newer"].encode(value))
    end = world.results.end(value["commandId"])
    assert (end.status, end.requestId, end.data["url"], end.data["disabled"]) == (201, "request-1", URL, True)
    listed = commands.command(tenant, commands.retrieve_all(limit=5)) | {"priority": None}
    world.writer.place("webhook-admin", tenant, writers["newer"].encode(listed))
    assert world.results.end(listed["commandId"]).data["data"] == [end.data]


def test_older_command_gets_the_defaults(world, writers):
    tenant = world.tenant()
    value = commands.command(tenant, commands.create(URL))
    world.writer.place("webhook-admin", tenant, writers["older"].encode(value))
    end = world.results.end(value["commandId"])
    assert (end.status, end.requestId, end.clientId, end.data["disabled"]) == (201, None, None, False)


def test_newer_issuance(world, writers):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    value = commands.issuance(tenant, claims={"a": 1}) | {"issuer": {"did": "did:example:1"}}
    world.writer.place("credential-issuance", tenant, writers["newer-issuance"].encode(value))
    payload = endpoint.wait()[0].json["event"]["payload"]
    assert (payload["credentialId"], payload["claims"]) == (value["credentialId"], {"a": 1})


def test_unknown_writer_is_a_dead_letter(world, schemas):
    definition = newer_command(schemas.command.definition)
    definition["fields"].append({"name": "unheard", "type": "int", "default": 0})
    value = commands.command(world.tenant(), commands.create(URL)) | {"priority": None}
    value["operation"][1]["labels"] = {}
    at = world.writer.place("webhook-admin", value["tenantId"], Schema(definition).encode(value))
    assert "schema" in world.dead_letters.of(world.prefix + "webhook-admin", at[1], at[0]).reason
