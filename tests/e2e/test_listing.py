"""Listing: pages that lose nothing and repeat nothing, whatever happens between them."""

import base64
from urllib.parse import parse_qs

import pytest
from env import commands

WEBHOOKS = 2500


@pytest.fixture(scope="module")
def crowd(world):
    """A tenant with many webhooks, made in one go."""
    tenant = world.tenant("crowd")
    ids = [world.writer.ask(tenant, commands.create(f"http://127.0.0.1:9/{n}")) for n in range(WEBHOOKS)]
    world.writer.flush()
    return tenant, [world.results.end(id, timeout=60).data["id"] for id in ids]


def page(world, tenant, limit, cursor):
    end = world.ask(tenant, commands.retrieve_all(limit, cursor))
    assert end.status == 200, end
    return [item["id"] for item in end.data["data"]], end.data["nextCursor"]


def pages(world, tenant, limit, between=lambda: None):
    cursor, listed = None, []
    while True:
        ids, cursor = page(world, tenant, limit, cursor)
        listed.append(ids)
        if cursor is None:
            return listed
        between()


def test_pages_of_a_thousand(world, crowd):
    tenant, ids = crowd
    listed = pages(world, tenant, 1000)
    assert [len(ids) for ids in listed] == [1000, 1000, 500]
    everything = sum(listed, [])
    assert len(set(everything)) == WEBHOOKS and set(everything) == set(ids)


def test_default_page(world, crowd):
    ids, cursor = page(world, crowd[0], None, None)
    assert len(ids) == 100 and cursor


def test_cursor_is_a_place_in_the_order(world, crowd):
    ids, cursor = page(world, crowd[0], 7, None)
    fields = parse_qs(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(), strict_parsing=True)
    assert "=" not in cursor and fields["id"] == [ids[-1]] and fields["createdAt"][0].endswith("Z")
    unescaped = base64.urlsafe_b64encode(f"createdAt={fields['createdAt'][0]}&id={ids[-1]}".encode()).rstrip(b"=").decode()
    assert page(world, crowd[0], 7, unescaped) == page(world, crowd[0], 7, cursor)


def test_cursor_outlives_its_item(world):
    tenant = world.tenant()
    ids = [world.ask(tenant, commands.create("http://127.0.0.1:9/")).data["id"] for _ in range(4)]
    first, cursor = page(world, tenant, 2, None)
    assert world.ask(tenant, commands.delete(first[-1])).status == 204
    rest, end = page(world, tenant, 2, cursor)
    assert (set(first + rest), end) == (set(ids), None)


def test_while_webhooks_come_and_go(world, crowd):
    tenant, ids = crowd
    doomed = iter(ids[::25])
    gone, new = set(), set()

    def between():
        created = [world.writer.ask(tenant, commands.create("http://127.0.0.1:9/new")) for _ in range(20)]
        victims = [next(doomed) for _ in range(10)]
        deleted = [world.writer.ask(tenant, commands.delete(id)) for id in victims]
        world.writer.flush()
        new.update(world.results.end(id).data["id"] for id in created)
        assert {world.results.end(id).status for id in deleted} == {204}
        gone.update(victims)

    everything = sum(pages(world, tenant, 300, between), [])
    assert len(everything) == len(set(everything)), "none twice"
    assert set(ids) - gone <= set(everything), "none missing"
    assert set(everything) <= set(ids) | new and len(gone) >= 70
