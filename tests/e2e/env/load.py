"""Issuance commands in batches to many tenants, and a check of all their outcomes."""

from . import commands
from .wait import until

TENANTS = 40


class Load:
    def __init__(self, world):
        self.world = world
        self.endpoints = {world.tenant("load"): world.receivers.endpoint("load", port=n) for n in range(TENANTS)}
        self.tenants = list(self.endpoints)
        created = [world.writer.ask(tenant, commands.create(endpoint.url)) for tenant, endpoint in self.endpoints.items()]
        world.writer.flush()
        assert {world.results.end(id, timeout=60).status for id in created} == {201}
        self.sent = []

    def send(self, count):
        for _ in range(count):
            tenant = self.tenants[len(self.sent) % TENANTS]
            self.sent.append(self.world.writer.issuance(commands.issuance(tenant)))
        self.world.writer.flush()

    def arrived(self):
        return sum(len(endpoint.requests) for endpoint in self.endpoints.values())

    def wait_arrived(self, count, timeout=90):
        until(lambda: self.arrived() >= count, timeout, f"{count} callbacks")

    def finished(self):
        return self.world.results.counts["WEBHOOK_EVENT_PROCESS_SUCCESS"] >= len(self.sent)

    def finish(self, timeout=60):
        self.world.results.wait(self.finished, timeout, "every delivery's end")

    def check(self):
        """Nothing is lost, and no event is there twice. Only a callback whose outcome was not
        committed may come again, with the same id.
        """
        results = self.world.results.catch_up()
        ids = [event.id for event in results.events]
        assert len(ids) == len(set(ids)), "no event id twice for a read_committed reader"
        told = {tuple(event.type for event in results.by_command[id]) for id in self.sent}
        assert told == {("OPENID_CREDENTIAL_START", "OPENID_CREDENTIAL_SUCCESS")}
        lives = {tuple(event.type for event in events) for events in results.by_delivery.values()}
        assert lives == {("WEBHOOK_EVENT_RECEIVE", "WEBHOOK_EVENT_PROCESS_SUCCESS")}
        delivered = {request.id for endpoint in self.endpoints.values() for request in endpoint.requests}
        assert delivered == results.by_delivery.keys() and len(delivered) == len(self.sent)
        assert not self.world.state.kind("delivery")
