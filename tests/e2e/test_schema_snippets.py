"""The programs of schemas/README.md, as they stand there, by others' clients and Avro libraries:
each creates a webhook.

Only the broker, the topic and the tenant are made this test's own. What they need is installed into
build/snippets. Where a language is not there, its test is skipped.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest
from env.paths import ROOT, SCHEMAS

FOLDER = ROOT / "build/snippets"
README = (SCHEMAS / "README.md").read_text()
KAFKA_CLIENTS, AVRO, EXEC = "3.9.1", "1.12.0", "3.5.0"


def blocks(heading, language):
    """The code of a language below a heading."""
    section = README[README.index(f"\n### {heading}\n") + 1 :]
    end = re.search(r"^##", section[4:], re.MULTILINE)
    section = section[: end.start() + 4] if end else section
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def need(*commands):
    missing = [command for command in commands if not shutil.which(command)]
    if missing:
        pytest.skip(f"there is no {' and no '.join(missing)}")


def run(folder, *command):
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    assert answer.returncode == 0, f"{command}: {answer.stdout[-3000:]}{answer.stderr[-3000:]}"


def python(folder):
    run(folder, sys.executable, "snippet.py")


def node(folder):
    need("node", "npm")
    run(folder, "npm", "install", "--no-audit", "--no-fund", "--no-save", "kafkajs@2.2.4", "avsc@5.7.9")
    run(folder, "node", "snippet.js")


def go(folder):
    need("go")
    version = re.search(r"go1\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout)
    if int(version[1]) < 21:
        pytest.skip(f"franz-go needs a newer Go than {version[0]}")
    if not (folder / "go.mod").exists():
        run(folder, "go", "mod", "init", "snippet")
    run(folder, "go", "get", "github.com/twmb/franz-go/pkg/kgo@v1.18.1", "github.com/hamba/avro/v2@v2.28.0", "github.com/linkedin/goavro/v2@v2.13.1")
    run(folder, "go", "run", "snippet.go")


def rust(folder):
    need("cargo")
    source = folder / "src"
    source.mkdir(exist_ok=True)
    (folder / "snippet.rs").replace(source / "main.rs")
    (folder / "Cargo.toml").write_text(
        # Resolver 3 chooses versions that Debian 13's Rust can build. The librdkafka that is there:
        # to compile the crate's own takes minutes.
        '[package]\nname = "snippet"\nversion = "0.1.0"\nedition = "2021"\nrust-version = "1.85"\nresolver = "3"\n\n'
        '[dependencies]\napache-avro = "0.21"\n'
        'rdkafka = { version = "=0.29.0", default-features = false, features = ["dynamic-linking"] }\n'
        'rdkafka-sys = "=4.3.0"\n'
    )
    run(folder, "cargo", "run", "--quiet")


def java(folder):
    need("mvn", "javac")
    source = folder / "src/main/java"
    source.mkdir(parents=True, exist_ok=True)
    (folder / "snippet.java").replace(source / "Create.java")
    plugin = blocks("Java", "xml")[0].replace("/usr/local/share/posthorn/schemas", str(SCHEMAS))
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        for group, artifact, version in (
            ("org.apache.kafka", "kafka-clients", KAFKA_CLIENTS),
            ("org.apache.avro", "avro", AVRO),
            ("org.slf4j", "slf4j-nop", "1.7.36"),
        )
    )
    (folder / "pom.xml").write_text(
        f"""<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>snippet</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies>{dependencies}</dependencies><build><plugins>
{plugin}
<plugin><groupId>org.codehaus.mojo</groupId><artifactId>exec-maven-plugin</artifactId><version>{EXEC}</version></plugin>
</plugins></build></project>"""
    )
    run(folder, "mvn", "-q", "-B", "compile", "exec:java", "-Dexec.mainClass=Create")
    classes = {path.stem for path in (folder / "target/generated-sources").rglob("*.java")}
    assert {"WebhookCommand", "CredentialIssuanceCommand", "AnalyticEvent", "Webhook", "Problem"} <= classes


@dataclass
class Snippet:
    name: str
    heading: str
    language: str
    suffix: str
    run: object
    number: int = 0  # of the blocks below the heading


SNIPPETS = [
    Snippet("python", "Python", "python", "py", python),
    Snippet("node", "Node.js", "javascript", "js", node),
    Snippet("go-hamba", "Go", "go", "go", go),
    Snippet("go-goavro", "Go", "go", "go", go, 1),
    Snippet("rust", "Rust", "rust", "rs", rust),
    Snippet("java", "Java", "java", "java", java),
]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.name)
def test_the_snippet_creates_a_webhook(world, snippet):
    tenant, folder = world.tenant(), FOLDER / snippet.name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SCHEMAS / "webhook-command.avsc", folder)
    text = blocks(snippet.heading, snippet.language)[snippet.number]
    for there, here in (("127.0.0.1:9092", world.bootstrap), ("webhook-admin", f"{world.prefix}webhook-admin"), ("acme", tenant)):
        assert there in text
        text = text.replace(there, here)
    (folder / f"snippet.{snippet.suffix}").write_text(text)
    snippet.run(folder)
    ended = lambda: [event for event in world.results.events if event.tenantId == tenant and event.status]
    end = world.results.wait(ended, 20, f"outcome of {snippet.name}")[0]
    assert (end.type, end.data["url"]) == ("WEBHOOK_CREATE_SUCCESS", "https://hooks.example.com/credentials")


def test_kcat_creates_a_webhook(world):
    """The one of the section on JSON."""
    need("kcat")
    section = README[README.index("\n## JSON\n") : README.index("\n## Avro\n")]
    command = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0]
    tenant = world.tenant()
    for there, here in (("127.0.0.1:9092", world.bootstrap), ("webhook-admin", f"{world.prefix}webhook-admin"), ("acme", tenant)):
        command = command.replace(there, here)
    run(ROOT, "bash", "-c", command)
    assert world.results.end("6f1c").status == 201
