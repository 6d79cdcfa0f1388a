"""See run: the blocks of docs/operating.md, tried on real components.

ClickHouse's own sink is not on Maven Central, so its table is filled from PostgreSQL's.
"""

import contextlib
import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from env import commands
from env.avro import Schemas
from env.kafka import Broker
from env.paths import ROOT, free_port
from env.receiver import Receivers
from env.registry import Registry
from env.wait import until
from env.world import World

CACHE = Path(sys.argv[1])
HEADING = "## The history in a database"
# Another zone than UTC, which times must not notice.
ZONE = "Asia/Tokyo"
BUSY = {"status": 503, "body": "try again at noon"}


def blocks():
    """The text of each fenced block of the section, in order."""
    section = (ROOT / "docs/operating.md").read_text().split(HEADING)[1].split("\n## ")[0]
    common, jdbc, postgres, clickhouse, click_sql = re.findall(r"^```\w*\n(.*?)^```", section, re.M | re.S)
    assert "ClickHouse" in clickhouse
    return common, jdbc, statements(postgres), statements(click_sql)


def statements(sql):
    """(those that make the table, the queries)"""
    each = [part.strip() for part in re.sub(r"--.*", "", sql).split(";") if part.strip()]
    return [part for part in each if part.startswith("CREATE")], [part for part in each if part.startswith("SELECT")]


def values(output):
    return list(csv.DictReader(io.StringIO(output)))


class Postgres:
    """A cluster of our own, of the user postgres: it does not run as root."""

    def __init__(self, directory):
        self.data, self.port = directory / "postgres", free_port()
        self.programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.data.mkdir()
        shutil.chown(self.data, "postgres")
        self.run("initdb", "-D", self.data, "-A", "trust", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.data} -c timezone={ZONE}"
        self.run("pg_ctl", "-D", self.data, "-l", self.data / "log", "-w", "-o", options, "start")
        self.url = f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", self.programs / program, *arguments]
        with tempfile.TemporaryFile("w+") as out:  # a pipe would stay open in the server
            status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, cwd="/").returncode
            out.seek(0)
            answer = out.read()
        assert status == 0, f"{program}: {answer}"
        return answer

    def ask(self, sql):
        """The rows, as dictionaries of texts."""
        return values(self.run("psql", "-h", self.data, "-p", str(self.port), "--csv", "-q", "-c", sql))

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


@contextlib.contextmanager
def connect(directory, name, bootstrap, text, changes):
    """Kafka Connect, alone, with one connector: the document's text, where these are others."""
    worker, connector, log = (directory / f"{name}.{kind}" for kind in ("worker", "connector", "log"))
    worker.write_text(
        f"bootstrap.servers={bootstrap}\n"
        "key.converter=org.apache.kafka.connect.storage.StringConverter\n"
        "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
        f"offset.storage.file.filename={directory / name}.offsets\n"
        f"listeners=http://127.0.0.1:{free_port()}\n"
    )
    connector.write_text(f"name={name}\n{text}\n" + "".join(f"{key}={value}\n" for key, value in changes.items()))
    java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.timezone={ZONE}", "-cp", f"{CACHE / 'jars'}/*"]
    with open(log, "w") as out:
        process = subprocess.Popen([*java, "org.apache.kafka.connect.cli.ConnectStandalone", worker, connector], stdout=out, stderr=out)
        try:
            yield
        except AssertionError:
            print(f"--- {log.name}", *log.read_text().splitlines()[-60:], sep="\n", file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(60)


def clickhouse(directory, table, rows, queries):
    """The answers of each query. The rows come twice, as after a restart of the sink."""
    (directory / "rows.csv").write_text(rows)
    program = """
import sys, chdb.session
table, file, *queries = sys.argv[1:]
session = chdb.session.Session()
session.query("CREATE DATABASE posthorn")
session.query("USE posthorn")
session.query(table)
for _ in range(2):
    session.query(f"INSERT INTO event SELECT * FROM file('{file}', CSVWithNames) SETTINGS input_format_null_as_default = 0")
for query in queries:
    sys.stdout.write(str(session.query(query, "CSVWithNames")) + "\\0")
"""
    answer = subprocess.run([CACHE / ".venv/bin/python", "-c", program, table, directory / "rows.csv", *queries], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    return [values(output.replace("\\N", "")) for output in answer.stdout.split("\0")[:-1]]


def make_story(world):
    """A credential for three webhooks: one takes it, one at the third attempt, one never."""
    good, slow, dead = (world.receivers.endpoint() for _ in range(3))
    slow.answers(BUSY, BUSY, 200)
    dead.answers(410)
    webhooks = [world.webhook("acme", endpoint)["id"] for endpoint in (good, slow, dead)]
    world.writer.issuance(commands.issuance("acme") | {"credentialId": "c-1"})
    for endpoint, requests in ((good, 1), (slow, 3), (dead, 1)):
        endpoint.wait(requests)
    return webhooks


def judge(story, waiting, hours, webhooks):
    """The answers of the three queries tell it."""
    good, slow, dead = webhooks
    told = {id: [(row["type"].removeprefix("WEBHOOK_EVENT_"), row["status"], row["answer"]) for row in story if row["webhook"] == id] for id in webhooks}
    assert told[good] == [("RECEIVE", "", ""), ("PROCESS_SUCCESS", "200", "")], told
    assert told[slow] == [("RECEIVE", "", ""), *2 * [("RETRY", "503", BUSY["body"])], ("PROCESS_SUCCESS", "200", "")], told
    assert [step[0] for step in told[dead]] == ["RECEIVE", "PROCESS_FAIL"] and told[dead][-1][1] == "410", told
    assert len(waiting) == 1 and waiting[0].get("reason", waiting[0].get("why")) == "status-410", waiting
    counts = {row["webhook"]: tuple(row.values())[2:4] for row in hours}
    assert counts == {good: ("1", "0"), slow: ("1", "2"), dead: ("0", "1")}, counts


def sink_twice(directory, world, registry, postgres, text):
    """Connect writes the events into the table, and another one writes all of them again."""
    changes = {
        "topics": f"{world.prefix}webhook-results",
        "connection.url": postgres.url,
        "connection.username": "postgres",
        "connection.password": "any",
        "value.converter.apicurio.registry.url": registry.url.replace("/ccompat/v7", "/registry/v2"),
    }
    ended = "FROM event WHERE type IN ('WEBHOOK_EVENT_PROCESS_SUCCESS', 'WEBHOOK_EVENT_PROCESS_FAIL')"
    with connect(directory, "first", world.bootstrap, text, changes):
        until(lambda: len(postgres.ask(f"SELECT 1 {ended}")) == 3, 120, "the story in PostgreSQL")
    rows = postgres.ask("SELECT * FROM event ORDER BY id")
    postgres.ask("UPDATE event SET reason = 'to be written again'")
    with connect(directory, "second", world.bootstrap, text, changes):
        until(lambda: postgres.ask("SELECT * FROM event ORDER BY id") == rows, 120, "it again")
    return len(rows)


def judge_times(postgres):
    ages = "SELECT now() AT TIME ZONE 'UTC' - at AS age FROM event"
    fit = postgres.ask(f"SELECT max(age) < interval '10 minutes' AND min(age) > interval '0' AS fit FROM ({ages}) AS of")
    assert fit == [{"fit": "t"}], postgres.ask(ages)


@contextlib.contextmanager
def components(directory):
    """(a world with a worker, its registry, a PostgreSQL)"""
    for name in ("kafka", "registry", "receivers", "world"):
        (directory / name).mkdir()
    with contextlib.ExitStack() as stack:
        broker = Broker(directory / "kafka")
        stack.callback(broker.stop)
        registry = Registry(directory / "registry")
        stack.callback(registry.stop)
        postgres = Postgres(directory)
        stack.callback(postgres.stop)
        receivers = Receivers(directory / "receivers")
        stack.callback(receivers.close)
        settings = {"schema.registry.url": registry.url, "results.framing": "confluent", "delivery.retry.schedule": "300ms,300ms,300ms"}
        world = World(directory / "world", broker.bootstrap, receivers, Schemas(), settings)
        stack.callback(world.close)
        world.create_topics().worker()
        yield world, registry, postgres


def main():
    common, jdbc, (tables, queries), (click_tables, click_queries) = blocks()
    with tempfile.TemporaryDirectory(prefix="posthorn-sinks-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the user postgres enters it
        with components(directory) as (world, registry, postgres):
            webhooks = make_story(world)
            for table in tables:
                postgres.ask(table)
            rows = sink_twice(directory, world, registry, postgres, common + jdbc)
            judge_times(postgres)
            judge(*map(postgres.ask, queries), webhooks)
            print(f"PostgreSQL: {rows} events, written twice; {len(queries)} queries tell the story")
            exported = postgres.run("psql", "-h", postgres.data, "-p", str(postgres.port), "-q", "-c", "COPY event TO STDOUT CSV HEADER")
        judge(*clickhouse(directory, *click_tables, exported, click_queries), webhooks)
        print("ClickHouse's engine: the same, of rows that came twice")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    main()
