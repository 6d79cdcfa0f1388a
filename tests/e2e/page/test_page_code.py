"""Keys, and the code that the page offers to copy: each language's verifies a callback."""

import json
import subprocess
import sys

import pytest
from env.http import Client
from env.wait import until

WEBHOOKS = "/v1/webhooks"


def send(client, webhook):
    return client("POST", f"{WEBHOOKS}/{webhook['id']}/test").json["deliveryId"]


SNIPPETS = {"Node.js": "node.mjs", "Python": "verify.py", "Go": "verify.go", "Java": "Verify.java"}


def test_keys_and_code_to_copy(entered, world, gateway, tenant):
    entered.go("Signing keys")
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
