"""A tenant, its webhook, and a page in a headless Chromium, which is one for a file of tests."""

import pytest
from env import browser
from env.browser import Page
from env.commands import ISSUED
from env.filled import Filled

WEBHOOKS = "/v1/webhooks"


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the second attempt, a moment later; a Retry-After keeps one pending."""
    settings = {"delivery.retry.schedule": "100ms", "delivery.retry.jitter": 0, "event.types": "DegreeRevoked,degree.renewed_v2"}
    with make_world(settings=settings) as world:
        world.worker()
        yield world


@pytest.fixture(scope="module")
def driver():
    driver = browser.start()
    yield driver
    driver.quit()


@pytest.fixture
def page(driver, gateway):
    return Page(driver, gateway.api).forget()


@pytest.fixture
def tenant(world):
    return world.tenant("page")


@pytest.fixture
def endpoint(world):
    return world.receivers.endpoint()


@pytest.fixture
def webhook(client, endpoint):
    return client("POST", WEBHOOKS, {"events": [ISSUED], "url": endpoint.url}).json


@pytest.fixture
def entered(page, client, webhook):
    """With the token of a tenant that has one webhook."""
    page.open().enter(client.token).wait_row(webhook["url"], pending="0", dead="0")
    return page


@pytest.fixture(scope="module")
def full_tenant(world, gateway):
    tenant = world.tenant("full")
    return Filled(world, world.client(gateway, tenant), tenant)


@pytest.fixture
def filled(full_tenant, page):
    """A page of the tenant that has a day of deliveries."""
    return full_tenant.on(page)
