"""The page at /, in a real headless Chromium: what it offers, and what it must not do."""

import pytest
from env import browser
from env.browser import Page
from env.http import Client


@pytest.fixture(scope="module")
def gateway(world):
    return world.gateway()


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
def client(world, gateway, tenant):
    return world.client(gateway, tenant)


FILES = {
    "/": "text/html; charset=utf-8",
    "/page.css": "text/css; charset=utf-8",
    "/page.js": "text/javascript; charset=utf-8",
    "/icon.svg": "image/svg+xml",
    "/verify/node.mjs": "text/plain; charset=utf-8",
    "/verify/verify.py": "text/plain; charset=utf-8",
    "/verify/verify.go": "text/plain; charset=utf-8",
    "/verify/Verify.java": "text/plain; charset=utf-8",
    "/openapi.json": "application/json",
}


@pytest.mark.parametrize(("path", "content_type"), FILES.items(), ids=FILES)
def test_files(gateway, path, content_type):
    anyone = Client(gateway.api)
    answer = anyone("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, content_type) and answer.body
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == policy.pop("base-uri") == policy.pop("form-action") == "'none'"
    assert policy.keys() == {"script-src", "style-src", "img-src", "connect-src"} and set(policy.values()) == {"'self'"}
    same = anyone("GET", path, headers={"if-none-match": answer.headers["etag"]})
    assert (same.status, same.body) == (304, b"")


def test_it_loads(page):
    page.open()
    assert page.driver.title == "Webhooks · posthorn" and page.field("Token of your tenant").is_displayed()
    assert not page.logs("browser"), "what the console says"
