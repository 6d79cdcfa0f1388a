"""A command id is answered once: again is the same answer, with other content it is a conflict."""

from env import commands

URL = "http://127.0.0.1:9/hook"


def again(world, value, times=2):
    world.writer.command(value)
    world.writer.flush()
    return world.results.of(value["commandId"], ends=times)


def test_same_command_again(world):
    tenant = world.tenant()
    value = commands.command(tenant, commands.create(URL))
    first = again(world, value, times=1)
    registry = world.state.registry(tenant)
    start, end = again(world, value | {"timestamp": value["timestamp"] + 5000, "requestId": "another", "clientId": "another"})[2:]
    assert (start.type, start.repeat) == ("WEBHOOK_CREATE_START", True)
    assert (end.type, end.status, end.data, end.repeat) == ("WEBHOOK_CREATE_SUCCESS", 201, first[1].data, True)
    assert not any(event.repeat for event in first) and end.id != first[1].id
    assert world.state.registry(tenant) == registry


def test_answer_stays_what_it_was(world):
    """A repeat gets the first answer, also when the webhook has changed since."""
    tenant = world.tenant()
    value = commands.command(tenant, commands.create(URL))
    webhook = again(world, value, times=1)[1].data
    assert world.ask(tenant, commands.delete(webhook["id"])).status == 204
    assert again(world, value)[3].data == webhook
    assert not world.state.kind("webhook", tenant)


def test_a_read_again_reads_again(world):
    tenant = world.tenant()
    value = commands.command(tenant, commands.retrieve_all())
    assert again(world, value, times=1)[1].data == {"data": [], "nextCursor": None}
    webhook = world.ask(tenant, commands.create(URL)).data
    second = again(world, value)[3]
    assert (second.repeat, second.data["data"]) == (False, [webhook])
    assert not any(value["commandId"] in key for key in world.state.kind("receipt", tenant)), "no page in the changelog"


def test_refusal_again(world):
    value = commands.command(world.tenant(), commands.create("nowhere"))
    first = again(world, value, times=1)[1]
    second = again(world, value)[3]
    assert (second.type, second.status, second.data, second.repeat) == (first.type, 400, first.data, True)


def test_other_content_is_a_conflict(world):
    tenant = world.tenant()
    value = commands.command(tenant, commands.create(URL))
    webhook = again(world, value, times=1)[1].data
    registry = world.state.registry(tenant)
    for n, operation in enumerate((commands.create(URL + "2"), commands.create(URL, disabled=True), commands.delete(webhook["id"]), commands.retrieve_all())):
        end = again(world, value | {"operation": operation}, times=n + 2)[-1]
        assert end.type.endswith("_FAIL") and (end.status, end.data["code"]) == (409, "Conflict")
        assert [(d["param"], d["location"], d["value"]) for d in end.data["details"]] == [("commandId", "body", value["commandId"])]
    assert world.state.registry(tenant) == registry


def test_another_tenants_same_command_id(world):
    value = commands.command(world.tenant(), commands.create(URL))
    assert again(world, value, times=1)[1].status == 201
    other = value | {"tenantId": world.tenant()}
    end = again(world, other)[-1]
    assert (end.status, end.repeat, end.tenantId) == (201, False, other["tenantId"])


def test_twice_in_one_batch(world):
    tenant = world.tenant()
    value = commands.command(tenant, commands.create(URL))
    for _ in range(5):
        world.writer.command(value)
    world.writer.flush()
    events = world.results.of(value["commandId"], ends=5)
    assert [event.repeat for event in events] == [False, False] + [True] * 8
    assert len(world.state.kind("webhook", tenant)) == 1


def test_issuance_again_sends_the_same_ids(world):
    tenant, endpoint = world.tenant(), world.receivers.endpoint()
    world.webhook(tenant, endpoint)
    value = commands.issuance(tenant)
    for n in (1, 2):
        world.writer.issuance(value)
        world.writer.flush()
        endpoint.wait(n)
    first, second = endpoint.requests
    assert first.id == second.id and first.json["event"]["id"] == second.json["event"]["id"]
