"""The page at /: its files, and the token that opens it."""

import pytest
from env.commands import ISSUED
from env.http import Client
from env.wait import until


MODULES = (
    "page", "api", "chart", "deliveries", "dom", "keys", "story", "timeline", "times", "views", "webhook", "webhook_actions", "webhook_edit", "webhook_names",
    "webhooks", "words",
)  # fmt: skip
FILES = {f"/{name}.js": "text/javascript; charset=utf-8" for name in MODULES} | {
    "/": "text/html; charset=utf-8",
    "/page.css": "text/css; charset=utf-8",
    "/icon.svg": "image/svg+xml",
    "/verify/node.mjs": "text/plain; charset=utf-8",
    "/verify/verify.py": "text/plain; charset=utf-8",
    "/verify/verify.go": "text/plain; charset=utf-8",
    "/verify/Verify.java": "text/plain; charset=utf-8",
    "/openapi.json": "application/json",
}


@pytest.mark.parametrize(("path", "content_type"), FILES.items(), ids=FILES)
def test_files(gateway, path, content_type):
    """Their types, a policy that allows nothing but them, and 304 for who has them."""
    anyone = Client(gateway.api)
    answer = anyone("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, content_type) and answer.body
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == policy.pop("base-uri") == policy.pop("form-action") == "'none'"
    assert policy.keys() == {"script-src", "style-src", "img-src", "connect-src"} and set(policy.values()) == {"'self'"}
    same = anyone("GET", path, headers={"if-none-match": answer.headers["etag"]})
    assert (same.status, same.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["//", "/.", "/index.html", "/page", "/page.css/", "/page/page.css", "/verify", "/verify/", "/verify/../page.css", "/screenshot.png"]
)
def test_nothing_beside_them(gateway, path):
    assert Client(gateway.api)("GET", path).status == 404


def test_a_token_opens_it(page, client, webhook, tenant):
    page.open().enter(client.token)
    events, state, *_ = page.wait_row(webhook["url"], pending="0", dead="0")
    assert (events, state) == (ISSUED, "Nothing sent lately") and page.text("#tenant") == tenant
    assert not page.find("#enter").is_displayed()
    page.driver.refresh()
    page.wait_row(webhook["url"])
    assert page.text("#tenant") == tenant and not page.logs("browser"), "what the console says"


@pytest.mark.parametrize("token", ["phk_" + "x" * 43, "no token", "\u00e9"], ids=["unknown", "with-a-blank", "not-ascii"])
def test_a_wrong_token(page, token):
    page.open().enter(token)
    page.wait_text("#wrong", "token is not known")
    assert page.field("Token of your tenant").is_displayed() and not page.find("#webhooks").is_displayed()
    assert page.script("return sessionStorage.length") == 0


def test_leaving(entered):
    entered.button("Leave").click()
    assert entered.field("Token of your tenant").is_displayed() and not entered.rows()
    assert entered.script("return sessionStorage.length") == 0
    entered.driver.refresh()
    assert entered.field("Token of your tenant").is_displayed()


def test_a_revoked_token(world, entered, client):
    id = next(each["id"] for each in world.admin.json("token", "list") if each["tenantId"] == entered.text("#tenant"))
    world.admin.ok("token", "revoke", id)
    until(lambda: client("GET", "/v1/events").status == 401, 5, "the token to be refused")
    entered.button("Refresh").click()
    entered.wait_text("#wrong", "revoked")
    assert not entered.rows() and entered.script("return sessionStorage.length") == 0


def test_a_gateway_that_cannot_be_reached(entered, webhook):
    entered.offline(True)
    try:
        entered.button("Refresh").click()
        entered.wait_text("#wrong", "cannot be reached")
        assert list(entered.rows()) == [webhook["url"]], "what was there stays"
    finally:
        entered.offline(False)
    entered.button("Refresh").click()
    until(lambda: entered.text("#wrong") == "", 5, "the complaint to go")


def test_a_token_that_opened_the_webhooks_is_kept(page, client, webhook, driver):
    """Also where the tenant's name, which comes after them, cannot be had."""
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/v1/events?limit=1"]})
    try:
        page.open().enter(client.token).wait_row(webhook["url"], pending="0", dead="0")
        page.wait_text("#wrong", "cannot be reached")
        assert page.script("return Object.values(sessionStorage)") == [client.token]
    finally:
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def test_the_token_stays_in_the_tab(entered, client, driver):
    assert client.token not in driver.current_url and entered.script("return document.cookie + localStorage.length") == "0"
    assert entered.script("return Object.values(sessionStorage)") == [client.token]
    assert client.token not in entered.script("return document.documentElement.outerHTML")
    assert entered.script("return document.getElementById('token').value") == ""
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    try:
        assert entered.open().field("Token of your tenant").is_displayed() and not entered.rows()
    finally:
        driver.close()
        driver.switch_to.window(first)
