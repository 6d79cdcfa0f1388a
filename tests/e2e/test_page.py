"""The page at /, in a real headless Chromium: what it offers, and what it must not do."""

import json
import subprocess
import sys
import time

import pytest
from env import browser
from env.browser import Page
from env.commands import ISSUED, SUMMARY
from env.http import Client
from env.wait import until
from selenium.webdriver.common.keys import Keys

WEBHOOKS = "/v1/webhooks"
NOWHERE = "http://127.0.0.1:9/hook"
LATER = {"status": 503, "headers": {"retry-after": "3600"}}
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def world(make_world):
    """Dead after the second attempt, a moment later; a Retry-After keeps one pending."""
    with make_world(settings={"delivery.retry.schedule": "100ms", "delivery.retry.jitter": 0}) as world:
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


def send(client, webhook):
    return client("POST", f"{WEBHOOKS}/{webhook['id']}/test").json["deliveryId"]


def held(client, webhook, **counts):
    def there():
        known = client("GET", f"{WEBHOOKS}/{webhook['id']}/deliveries").json
        return all(known.get(name) == count for name, count in counts.items())

    until(there, 10, f"{counts}")


# Files

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


# Coming and going


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


# The list


def test_states_and_counts(world, page, client):
    healthy, failing, disabled, waiting = (world.receivers.endpoint(stem) for stem in ("healthy", "failing", "disabled", "waiting"))
    made = [client("POST", WEBHOOKS, {"events": [ISSUED, SUMMARY], "url": each.url}).json for each in (healthy, failing, waiting)]
    client("POST", WEBHOOKS, {"events": [ISSUED], "url": disabled.url, "disabled": True})
    failing.answers(500)
    waiting.answers(LATER)
    for webhook in made:
        send(client, webhook)
    held(client, made[1], dead=1, pending=0), held(client, made[2], pending=1)
    waiting.wait(1)
    until(lambda: "WEBHOOK_EVENT_RETRY" in client("GET", "/v1/events").body.decode(), 5)
    page.open().enter(client.token)
    assert page.wait_row(healthy.url, "Healthy", "0", "0")[0] == ISSUED + SUMMARY
    page.wait_row(failing.url, "Failing", "0", "1")
    page.wait_row(waiting.url, "Failing", "1", "0")
    page.wait_row(disabled.url, "Disabled", "0", "0")
    assert list(page.rows()) == [healthy.url, failing.url, waiting.url, disabled.url], "in the order of creation"


def test_more_than_a_page(page, client):
    urls = [client("POST", WEBHOOKS, {"events": [ISSUED], "url": f"{NOWHERE}/{n}"}).json["url"] for n in range(27)]
    page.open().enter(client.token).wait_row(urls[24], pending="0")
    assert list(page.rows()) == urls[:25]
    page.button("More").click()
    page.wait_row(urls[26])
    assert list(page.rows()) == urls and not page.find("#more").is_displayed()


def test_none_yet(page, client):
    page.open().enter(client.token).wait_text("#none", "no webhook yet")


# What is done with a webhook


def test_create(page, client):
    page.open().enter(client.token)
    page.button("New webhook").click()
    assert page.dialog.accessible_name == "New webhook"
    page.fill("URL", NOWHERE)
    page.field("OpenIdCredentialIssuedSummary: without it").click()
    page.button("Save").click()
    page.wait_text("#said", "was created")
    page.wait_row(NOWHERE)
    (made,) = client("GET", WEBHOOKS).json["data"]
    assert (made["url"], made["events"], made["disabled"]) == (NOWHERE, [ISSUED, SUMMARY], False)


def test_create_what_is_wrong(page, client):
    """What the API says stands beside the field, in the dialog that stays."""
    page.open().enter(client.token)
    page.button("New webhook").click()
    page.fill("URL", "ftp://example.com")
    page.field("OpenIdCredentialIssued: with the credential").click()
    page.button("Save").click()
    said = page.wait_text("#edit .error", "url:")
    assert "events:" in said and page.field("URL").get_attribute("aria-invalid") == "true"
    page.button("Cancel").click()
    page.wait_closed()
    assert client("GET", WEBHOOKS).json["data"] == []


def test_edit(entered, client, webhook):
    entered.act("Edit", webhook["url"])
    assert entered.field("URL").get_property("value") == webhook["url"]
    entered.fill("URL", NOWHERE)
    entered.field("OpenIdCredentialIssued: with the credential").click()
    entered.field("OpenIdCredentialIssuedSummary: without it").click()
    entered.button("Save").click()
    entered.wait_row(NOWHERE)
    assert list(entered.rows()) == [NOWHERE]
    changed = client("GET", f"{WEBHOOKS}/{webhook['id']}").json
    assert (changed["url"], changed["events"]) == (NOWHERE, [SUMMARY])


def test_disable_and_enable(entered, client, webhook):
    entered.act("Disable", webhook["url"])
    entered.wait_row(webhook["url"], "Disabled")
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook | {"disabled": True}
    entered.act("Enable", webhook["url"])
    entered.wait_row(webhook["url"], "Nothing sent lately")
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").json == webhook


def test_delete_asks_first(entered, client, webhook):
    entered.act("Delete", webhook["url"])
    assert entered.text("#remove-url") == webhook["url"]
    entered.button("Cancel").click()
    entered.wait_closed()
    entered.act("Delete", webhook["url"])
    entered.press(Keys.ESCAPE)
    entered.wait_closed()
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").status == 200
    entered.act("Delete", webhook["url"])
    entered.button("Delete").click()
    entered.wait_text("#said", "was deleted")
    assert client("GET", f"{WEBHOOKS}/{webhook['id']}").status == 404 and not entered.rows()


def test_a_test_and_its_result(entered, endpoint, webhook):
    entered.act("Test", webhook["url"])
    entered.wait_text("#test-result", "Answered 200 after")
    assert endpoint.wait(1)[0].json["event"]["type"] == "WebhookTest"
    entered.button("Close").click()
    entered.wait_row(webhook["url"], "Healthy")
    endpoint.answers(500)
    entered.act("Test", webhook["url"])
    said = entered.wait_text("#test-result", "Failed: status-500.")
    assert "next attempt" in said or "not tried again" in said


def test_a_test_of_what_is_disabled(page, client, endpoint):
    client("POST", WEBHOOKS, {"events": [ISSUED], "url": endpoint.url, "disabled": True})
    page.open().enter(client.token).act("Test", endpoint.url)
    page.wait_text("#test .error", "disabled")
    assert page.text("#test-result") == "" and not endpoint.requests


def test_attempts(entered, client, endpoint, webhook):
    endpoint.answers(500, 500, LATER)
    dead = send(client, webhook)
    held(client, webhook, dead=1)
    waiting = send(client, webhook)
    until(lambda: client("GET", "/v1/events").json["data"][0]["type"] == "WEBHOOK_EVENT_RETRY", 10)
    held(client, webhook, dead=1, pending=1)
    entered.act("Attempts", webhook["url"])
    entered.wait_text("#waiting-count", "1 pending, 1 dead.")
    texts = lambda id: [[cell.text for cell in row.find_elements("css selector", "td")] for row in entered.all(f"#{id} tr")]
    attempts = [(what, attempt, status, reason, id) for _, what, attempt, status, reason, _, _, id in texts("attempt-rows")]
    assert attempts == [
        ("Failed, another follows", "1", "503", "status-503", waiting),
        ("Recorded", "", "", "", waiting),
        ("Dead", "2", "500", "status-500", dead),
        ("Failed, another follows", "1", "500", "status-500", dead),
        ("Recorded", "", "", "", dead),
    ]
    held_rows = [(event, state, attempts, reason, id) for _, event, state, attempts, reason, _, id in texts("waiting-rows")]
    assert held_rows == [("WebhookTest", "Dead", "2", "status-500", dead), ("WebhookTest", "Pending", "1", "status-503", waiting)]
    assert entered.all("#attempt-rows tr")[0].find_elements("css selector", "td")[6].text, "the next attempt's time"


def test_recover(entered, client, endpoint, webhook):
    endpoint.answers(500, 500, 200)
    id = send(client, webhook)
    held(client, webhook, dead=1)
    entered.button("Refresh").click()
    entered.wait_row(webhook["url"], "Failing", dead="1")
    entered.act("Recover", webhook["url"])
    entered.set_time("Dead since", time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 3600)))
    entered.button("Recover").click()
    entered.wait_text("#said", "0 deliveries are due again")
    entered.act("Recover", webhook["url"])
    entered.button("Recover").click()
    entered.wait_text("#said", "1 delivery is due again")
    assert endpoint.wait(3)[2].id == id
    held(client, webhook, dead=0)
    entered.button("Refresh").click()
    entered.wait_row(webhook["url"], "Healthy", "0", "0")


# Keys, and the code that verifies with them

SNIPPETS = {"Node.js": "node.mjs", "Python": "verify.py", "Go": "verify.go", "Java": "Verify.java"}


def test_keys_and_code_to_copy(entered, world, gateway, tenant):
    url = f"http://{gateway.api}/v1/tenants/{tenant}/webhooks/jwks"
    until(lambda: entered.text("#jwks-url") == url, 5, "the keys' address")
    assert json.loads(entered.text("#jwks")) == world.admin.jwks(tenant)
    entered.driver.execute_cdp_cmd("Browser.grantPermissions", {"origin": entered.origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    for language, file in SNIPPETS.items():
        entered.choose("Language", language)
        wanted = Client(gateway.api)("GET", f"/verify/{file}").body.decode().replace("{{JWKS}}", url)
        until(lambda wanted=wanted: entered.find("#code").get_property("textContent") == wanted, 5, language)
        entered.find("#copy-code").click()
        entered.wait_text("#copy-code", "Copied")
        assert entered.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == wanted
    entered.button("Copy the JWKS").click()
    entered.wait_text("#copy-jwks", "Copied")
    copied = entered.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert json.loads(copied) == world.admin.jwks(tenant)
    entered.wait_text("#copy-code", "Copy the code"), entered.wait_text("#copy-jwks", "Copy the JWKS")


# Each reads callback after callback (a folder's headers.txt and body), and prints a line for each:
# true or false.
RUN = {
    "Node.js": (
        "run.mjs",
        """import { readFileSync as read } from "node:fs"; import { fetchKeys, isGenuine } from "./node.mjs";
const keys = await fetchKeys();
for (const folder of process.argv.slice(2)) {
	const lines = read(`${folder}/headers.txt`, "utf8").trimEnd().split("\\n");
	console.log(isGenuine(keys, Object.fromEntries(lines.map(line => line.split(": "))), read(`${folder}/body`)));
}""",
        "node run.mjs",
    ),
    "Python": (
        "run.py",
        """import pathlib, sys, verify
keys = verify.fetch_keys()
for folder in map(pathlib.Path, sys.argv[1:]):
    headers = dict(line.split(": ", 1) for line in (folder / "headers.txt").read_text().splitlines())
    print(str(verify.is_genuine(keys, headers, (folder / "body").read_bytes())).lower())""",
        f"{sys.executable} run.py",
    ),
    "Go": (
        "run_test.go",
        """package verify
import ("fmt"; "net/http"; "os"; "strings"; "testing")
func TestIt(t *testing.T) {
	keys, err := FetchKeys()
	if err != nil { t.Fatal(err) }
	for _, folder := range strings.Fields(os.Getenv("FOLDERS")) {
		header := http.Header{}
		lines, _ := os.ReadFile(folder + "/headers.txt")
		for _, line := range strings.Split(strings.TrimSpace(string(lines)), "\\n") { name, value, _ := strings.Cut(line, ": "); header.Set(name, value) }
		body, _ := os.ReadFile(folder + "/body")
		fmt.Println(IsGenuine(keys, header, body))
	}
}""",
        'CGO_ENABLED=0 go test -vet=off -c -o run verify.go run_test.go && FOLDERS="$*" ./run #',
    ),
    "Java": (
        "Run.java",
        """import java.nio.file.*; import java.util.*;
public class Run { public static void main(String[] folders) throws Exception {
	var keys = Verify.fetchKeys();
	for (String folder : folders) {
		Map<String, String> headers = new HashMap<>();
		for (String line : Files.readAllLines(Path.of(folder, "headers.txt"))) headers.put(line.split(": ", 2)[0], line.split(": ", 2)[1]);
		System.out.println(Verify.isGenuine(keys, headers, Files.readAllBytes(Path.of(folder, "body"))));
	}
} }""",
        "javac Run.java Verify.java && java -cp . Run",
    ),
}


def tampered(headers, body):
    """Each of these must be refused: {what: (headers, body)}"""
    flipped = headers["webhook-signature"].replace("v1a,", "v1a,AA")
    return {
        "body": (headers, body.replace("WebhookTest", "WebhookTesu")),
        "id": (headers | {"webhook-id": headers["webhook-id"][:-1] + "x"}, body),
        "old": (headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body),
        "signature": (headers | {"webhook-signature": flipped}, body),
        "unsigned": ({name: value for name, value in headers.items() if name != "webhook-signature"}, body),
    }


COMPILES_S = 900  # Go has to compile its own library first, where nobody did


@pytest.mark.parametrize("language", RUN)
def test_the_code_verifies(world, gateway, client, endpoint, webhook, tenant, tmp_path, language):
    """What the page offers to copy takes a real callback, and none that was changed on its way."""
    name, program, command = RUN[language]
    send(client, webhook)
    (callback,) = endpoint.wait(1)
    url = f"http://{gateway.api}/v1/tenants/{tenant}/webhooks/jwks"
    code = Client(gateway.api)("GET", f"/verify/{SNIPPETS[language]}").body.decode().replace("{{JWKS}}", url)
    (tmp_path / SNIPPETS[language]).write_text(code)
    (tmp_path / name).write_text(program)
    cases = {"genuine": (callback.headers, callback.body.decode())} | tampered(callback.headers, callback.body.decode())
    for what, (headers, body) in cases.items():
        (tmp_path / what).mkdir()
        (tmp_path / what / "headers.txt").write_text("".join(f"{name}: {value}\n" for name, value in headers.items()))
        (tmp_path / what / "body").write_text(body)
    ran = subprocess.run(["sh", "-c", f'{command} "$@"', "sh", *cases], cwd=tmp_path, capture_output=True, text=True, timeout=COMPILES_S, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert dict(zip(cases, ran.stdout.split(), strict=False)) == dict.fromkeys(cases, "false") | {"genuine": "true"}


# What must not be possible


def is_quiet(page):
    """No script of somebody else's ran, and none was refused."""
    return page.alert() is None and not page.all("main img, main script, dialog img, dialog script") and not page.logs("browser")


def test_script_in_a_url_is_text(page, client, endpoint):
    """The address takes some of it as it is; the rest is escaped by the API."""
    made = client("POST", WEBHOOKS, {"events": [ISSUED], "url": f"{endpoint.url}?{SCRIPT};&lt;'\"{{{{JWKS}}}}"}).json
    page.open().enter(client.token).wait_row(made["url"])
    for action, place in (("Delete", "#remove-url"), ("Recover", "#recover-url"), ("Attempts", "#attempts-url")):
        page.act(action, made["url"])
        assert page.text(place) == made["url"]
        page.press(Keys.ESCAPE)
        page.wait_closed()
    assert is_quiet(page)


def test_script_in_what_the_api_answers_is_text(page, client, webhook):
    """Whatever an answer holds, in every place where the page shows it: even what no gateway would
    say.
    """
    page.open()
    stranger = {
        "id": webhook["id"], "url": SCRIPT, "events": [SCRIPT], "disabled": False, "completeSince": SCRIPT, "pending": SCRIPT, "dead": SCRIPT,
        "failingSince": None, "complete": True, "deliveryId": SCRIPT, "keys": [SCRIPT],
    }  # fmt: skip
    members = "id deliveryId eventType status attempts attempt reason lastReason createdAt durationMs nextAttemptAt"
    delivery = dict.fromkeys(members.split(), SCRIPT) | {"webhookId": webhook["id"]}
    event = {"type": SCRIPT, "timestamp": SCRIPT, "tenantId": SCRIPT, "data": delivery}
    problem = {"message": SCRIPT, "details": [{"param": SCRIPT, "msg": SCRIPT}]}
    page.script(
        """const [webhook, delivery, event, problem] = arguments;
        window.fetch = async (path, { method } = {}) => method === "POST" || method === "PUT" ? Response.json(problem, { status: 400 })
            : Response.json({ ...webhook, data: path.includes("/events") ? [event] : path.includes("/deliveries") ? [delivery] : [webhook] });""",
        stranger, delivery, event, problem,
    )  # fmt: skip
    page.enter("any").wait_row(SCRIPT)
    assert SCRIPT in page.text("#tenant") and SCRIPT in page.text("#jwks")
    page.act("Attempts", SCRIPT)
    page.wait_text("#waiting-rows", SCRIPT)
    page.wait_text("#attempt-rows", SCRIPT)
    page.press(Keys.ESCAPE)
    page.act("Test", SCRIPT)
    page.wait_text("#test .error", SCRIPT)
    page.press(Keys.ESCAPE)
    page.act("Disable", SCRIPT)
    page.wait_text("#wrong", SCRIPT)
    assert is_quiet(page)


def test_script_in_an_error_is_text(page, client):
    page.open().enter(client.token)
    page.button("New webhook").click()
    page.fill("URL", SCRIPT)
    page.button("Save").click()
    page.wait_text("#edit .error", "url:")
    assert page.alert() is None and not page.all("main img, dialog img, dialog script")


def test_nothing_from_elsewhere(entered, client, webhook):
    """Not one request leaves for another host, and the token goes into the API's header and nowhere
    else.
    """
    entered.act("Attempts", webhook["url"])
    entered.wait_text("#waiting-count", "0 pending")
    entered.press(Keys.ESCAPE)
    requests = entered.requests()
    assert len(requests) >= 8 and not [request["url"] for request in requests if entered.is_foreign(request["url"])]
    assert not [request["url"] for request in requests if client.token in request["url"]]
    carrying = {request["url"] for request in requests if client.token in json.dumps(request["headers"])}
    assert carrying and all("/v1/" in url for url in carrying)


def test_the_policy_is_obeyed(entered):
    """Script, style and pictures that are put into it do nothing; it cannot ask other hosts; nobody
    can frame it.
    """
    entered.script(
        """document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.ran = 1"><b id="red" style="color: red">x</b>');
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 1" }));"""
    )
    refused = lambda: [entry["message"] for entry in entered.logs("browser") if "Content Security Policy" in entry["message"]]
    assert until(refused, 5, "what was refused")
    assert entered.script("return window.ran === undefined && getComputedStyle(document.getElementById('red')).color !== 'rgb(255, 0, 0)'")
    ask = "fetch('http://127.0.0.2:9/').then(() => arguments[0]('answered'), error => arguments[0](error.name))"
    assert entered.driver.execute_async_script(ask) == "TypeError" and refused()
    framed = "const frame = document.body.appendChild(document.createElement('iframe')); frame.src = '/';"
    entered.script(framed)
    assert until(refused, 5, "the frame to be refused")


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


# For all hands and eyes


def test_by_keyboard_alone(page, client, webhook):
    page.open()
    page.find("#token").click()
    page.press(client.token, Keys.ENTER)
    url = page.wait_row(webhook["url"], pending="0") and webhook["url"]
    assert page.script("return document.activeElement.id") == "main"
    page.script("document.querySelector('.skip').focus()")
    seen = []
    for _ in range(14):
        page.press(Keys.TAB)
        name, drawn = page.focused()
        assert drawn, f"nothing shows that {name!r} has the focus"
        seen.append(name)
    wanted = ["Leave", "Refresh", "New webhook", "Webhooks", *(f"{action} {url}" for action in ("Edit", "Disable", "Test", "Attempts", "Recover", "Delete"))]
    start = seen.index("Leave")
    assert seen[start : start + len(wanted)] == wanted
    page.script("arguments[0].focus()", page.button(f"Disable {url}"))
    page.press(Keys.SPACE)
    page.wait_row(url, "Disabled")
    assert page.focused()[0] == f"Enable {url}", "the list is new, and the place in it the same"
    page.script("arguments[0].focus()", page.button(f"Delete {url}"))
    page.press(Keys.ENTER)
    assert page.dialog.accessible_name == "Delete this webhook?" and page.focused()[0] == "Cancel", "what is harmless comes first"
    for _ in range(6):
        page.press(Keys.TAB)
        inside = "return document.activeElement === document.body || document.querySelector('dialog[open]').contains(document.activeElement)"
        assert page.script(inside), "the focus stays in the dialog"
    page.press(Keys.ESCAPE)
    page.wait_closed()
    assert page.focused()[0] == f"Delete {url}", "back where it came from"


def test_for_screen_readers(entered, webhook):
    """Landmarks, one heading of each kind, names for all that can be used, and what is said when
    something happens.
    """
    assert entered.script("return document.documentElement.lang") == "en"
    assert [each.tag_name for each in entered.all("header, main")] == ["header", "main"] and len(entered.all("h1")) == 1
    unnamed = [
        each.get_attribute("outerHTML") for each in entered.all("button, input, select, a, [tabindex='0']") if each.is_displayed() and not each.accessible_name
    ]
    assert not unnamed
    roles = {css: entered.find(css).aria_role for css in ("#said", "#wrong", "#webhooks .scroll", "#webhooks table", "#webhooks th")}
    assert roles == {"#said": "status", "#wrong": "alert", "#webhooks .scroll": "region", "#webhooks table": "table", "#webhooks th": "columnheader"}
    entered.act("Edit", webhook["url"])
    assert entered.dialog.aria_role == "dialog" and entered.dialog.accessible_name == "Edit the webhook" and entered.focused()[0] == "URL"
    group = entered.find("#edit fieldset")
    assert (group.aria_role, group.accessible_name) == ("group", "Events")


CONTRAST = """const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = color => { const [r, g, b] = color.map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
const ground = element => { for (; element; element = element.parentElement) { const c = getComputedStyle(element).backgroundColor; if (!/, 0\\)$/.test(c)) return rgb(c); } };
const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
return [...document.querySelectorAll("h1, h2, h3, p, td, th, button, label, a, pre, .state, input")].filter(e => e.checkVisibility() && (e.textContent || e.value))
    .map(e => [e.outerHTML.slice(0, 80), ratio(light(rgb(getComputedStyle(e).color)), light(ground(e)))]).filter(([, ratio]) => ratio < 4.5);"""


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 22, 26)")])
def test_light_and_dark(entered, scheme, ground):
    """Every text stands out from its ground by 4.5 to 1. Source: WCAG 2.2 section 1.4.3."""
    entered.prefer(scheme)
    assert entered.find("body").value_of_css_property("background-color").replace("rgba", "rgb").replace(", 1)", ")") == ground
    assert not entered.script(CONTRAST)


def test_narrow(entered):
    """A telephone's width scrolls the table and never the page. Source: WCAG 2.2 section 1.4.10."""
    entered.resize(320, 640)
    try:
        wide = "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 320 && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 80))"
        assert entered.script("return document.documentElement.scrollWidth") <= 320, entered.script(wide)
    finally:
        entered.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
