"""The gateway's TLS: 1.2 with forward secrecy and AEAD, and 1.3, and nothing else."""

import contextlib
import re
import socket
import ssl
import subprocess

import pytest
from env.http import Client
from env.tls import Authority

# Source: RFC 9325 sections 3.1.1 and 4.
VERSIONS = {"TLSv1": False, "TLSv1_1": False, "TLSv1_2": True, "TLSv1_3": True}
CIPHERS = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": True,
    "ECDHE-ECDSA-AES128-GCM-SHA256": True,
    "ECDHE-ECDSA-CHACHA20-POLY1305": True,
    "ECDHE-ECDSA-AES256-SHA384": False,
    "ECDHE-ECDSA-AES128-SHA": False,
    "ECDHE-ECDSA-AES128-CCM": False,
    "ECDHE-RSA-AES128-GCM-SHA256": True,
    "ECDHE-RSA-AES128-SHA": False,
    "ECDHE-RSA-AES256-SHA384": False,
    "DHE-RSA-AES128-GCM-SHA256": False,
    "AES256-GCM-SHA384": False,
    "AES128-GCM-SHA256": False,
    "AES128-SHA": False,
    "NULL-SHA256": False,
    "aNULL": False,
}


def serve(world, id, file):
    return world.gateway(id, gateway_tls_certificate_file=file, gateway_tls_key_file=file)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture(scope="module")
def gateways(world, authority):
    """One with a certificate of each kind of key, since a suite of TLS 1.2 names it."""
    ecdsa = authority.issue("gateway")
    rsa = authority.directory / "rsa.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=rsa -keyout - -out -"
    rsa.write_bytes(subprocess.run(command.split(), capture_output=True, check=True).stdout)
    for file in (ecdsa, rsa):
        file.chmod(0o600)
    return {"ECDSA": serve(world, "gateway-ecdsa", ecdsa), "RSA": serve(world, "gateway-rsa", rsa)}


def context(ciphers="ALL:@SECLEVEL=0", version=None, protocols=()):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ciphers)
    if version:
        context.minimum_version = context.maximum_version = version
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def shake(gateway, context):
    """The agreed protocol, or None where the gateway refused."""
    try:
        with socket.create_connection(gateway.api.split(":"), 10) as plain, context.wrap_socket(plain) as connection:
            # A server that refuses may say so only behind the client's own part.
            connection.sendall(b"GET /icon.svg HTTP/1.1\r\nhost: x\r\n\r\n")
            if b" 200 OK" not in connection.recv(4096):
                return None
            return connection.version(), connection.cipher()[0], connection.selected_alpn_protocol()
    except (ssl.SSLError, ConnectionError):
        return None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions(gateways, version):
    agreed = shake(gateways["ECDSA"], context(version=ssl.TLSVersion[version]))
    assert (agreed is not None) == VERSIONS[version], agreed


@pytest.mark.parametrize("cipher", CIPHERS)
def test_ciphers_of_1_2(gateways, cipher):
    kind = "ECDSA" if "ECDSA" in cipher else "RSA"
    try:
        wanted = context(f"{cipher}:@SECLEVEL=0", ssl.TLSVersion.TLSv1_2)
    except ssl.SSLError:
        pytest.fail("this OpenSSL cannot ask for it")
    agreed = shake(gateways[kind], wanted)
    assert (agreed is not None) == CIPHERS[cipher], agreed


@pytest.mark.parametrize("offered, agreed", [((), None), (("http/1.1",), "http/1.1"), (("h2", "http/1.1"), "http/1.1"), (("h2",), "refused")])
def test_protocols(gateways, offered, agreed):
    """A client that offers only other protocols gets an alert in the handshake. Source: RFC 7301
    section 3.2.
    """
    got = shake(gateways["ECDSA"], context(protocols=offered))
    assert (got[2] if got else "refused") == agreed


def s_client(gateway, *options, sent=b""):
    command = ["openssl", "s_client", "-connect", gateway.api, *options]
    return subprocess.run(command, input=sent, capture_output=True, timeout=30, check=False).stdout.decode(errors="replace")


def test_no_compression_no_renegotiation(gateways):
    said = s_client(gateways["ECDSA"], "-tls1_2", "-comp", sent=b"R\n")
    assert "Compression: NONE" in said and "Secure Renegotiation IS supported" in said
    assert said.count("Cipher is ECDHE-") == 1 and "HTTP/1.1 200" not in said


def test_sessions_are_resumed(gateways, tmp_path):
    file, request = str(tmp_path / "session"), b"GET /icon.svg HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    first = s_client(gateways["ECDSA"], "-ign_eof", "-sess_out", file, sent=request)
    again = s_client(gateways["ECDSA"], "-ign_eof", "-sess_in", file, sent=request)
    assert "\nNew, TLSv1.3" in first and "\nReused, TLSv1.3" in again and " 200 OK" in again


def test_plain_text_is_not_served(gateways):
    with socket.create_connection(gateways["ECDSA"].api.split(":"), 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP/1.1 " not in connection.recv(4096)


def test_a_browser_stays_with_tls(gateways, gateway):
    """Every answer says so, and none in plain text does. Source: RFC 6797 section 7.2."""
    over_tls = Client(gateways["ECDSA"].api, None, context())
    for path in ("/", "/v1/webhooks", "/nowhere", "/?" + "a&" * 200):
        assert over_tls("GET", path).headers["strict-transport-security"] == "max-age=31536000", path
        assert "strict-transport-security" not in Client(gateway.api)("GET", path).headers


def test_large_answers_and_bodies(gateways):
    """In as many records as it takes, and on one connection."""
    connection = Client(gateways["RSA"].api, None, context()).connect()
    for path, size in (("/openapi.json", 40_000), ("/page.css", 10_000), ("/openapi.json", 40_000)):
        connection.request("GET", path)
        assert len(connection.getresponse().read()) > size
    connection.request("POST", "/v1/webhooks", b"x" * 1_000_000)
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize("what", ["another-key", "no-key", "no-certificate", "key-with-a-passphrase"])
def test_files_that_cannot_be_used(world, authority, tmp_path, what):
    good, other = authority.issue("good").read_bytes(), authority.issue("other").read_bytes()
    certificate, key = re.match(rb"(.*?-----END CERTIFICATE-----\n)(.*)", good, re.S).groups()
    if what == "another-key":
        key = other.partition(b"-----END CERTIFICATE-----\n")[2]
    elif what == "no-key":
        key = b"nothing\n"
    elif what == "no-certificate":
        certificate = b"nothing\n"
    else:
        key = subprocess.run(["openssl", "pkcs8", "-topk8", "-passout", "pass:x"], input=key, capture_output=True, check=True).stdout
    files = {"certificate": certificate, "key": key}
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)
        (tmp_path / name).chmod(0o600)
    settings = [f"--set=gateway.tls.{name}.file={tmp_path / name}" for name in files]
    refused = world.admin(*settings, "--set=gateway.listen=127.0.0.1:0", "--set=gateway.operations.listen=127.0.0.1:0", "serve")
    assert refused.code == 2 and ("gateway.tls.certificate.file" if what == "no-certificate" else "gateway.tls.key.file") in refused.err
