"""Certificates of our own, good and bad, and receivers that speak TLS with them."""

import contextlib
import datetime
import ipaddress
import re
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
DAY = datetime.timedelta(days=1)


_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_OF_AN_AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), x509.KeyUsage(**{use: use == "key_cert_sign" for use in _USES}))


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """An authority and the certificates that it signs. Files are PEM. Clients of Python 3.13 and
    later are strict: an authority must state its usage, and both the identifiers of their keys.
    Source: RFC 5280 section 4.2.
    """

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.sign(_name(name), self.key, self.key, _name(name), *_OF_AN_AUTHORITY)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, subject, key, signer, issuer, *extensions, begins=-DAY, ends=DAY):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), now + begins, now + ends)
        whose = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        signers = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        for extension in (*extensions, whose, signers):
            builder = builder.add_extension(extension, critical=extension in _OF_AN_AUTHORITY)
        return builder.sign(signer, hashes.SHA256())

    def issue(self, stem, names=("127.0.0.1",), itself=False, **validity):
        """The file of a server's certificate and key; signed by `itself` where that is set."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(stem)
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        signer, issuer = (key, subject) if itself else (self.key, self.certificate.subject)
        certificate = self.sign(subject, key, signer, issuer, alternatives, **validity)
        file = self.directory / f"{stem}.pem"
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return file


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def context(file, newest=None, clients=None):
    """A server's, with this certificate; `newest` is the highest version that it speaks. Where
    `clients` is given it asks for a client's certificate, of the authority in that file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    if newest:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = newest
    return context


def _common_name(certificate):
    names = dict(pair for row in (certificate or {}).get("subject", ()) for pair in row)
    return names.get("commonName")


class TlsReceiver:
    """Answers 200 to each request and then ends the connection; a thread a connection. Without a
    context it is a plain HTTP server that was sent something else.
    """

    def __init__(self, context=None, address="127.0.0.1", port=0):
        self.context = context
        self.resumed = []  # of each handshake that succeeded: whether it resumed a session
        self.clients = []  # and the name in its client's certificate
        self.connections = self.requests = 0
        self.last = b""  # the last request
        self.answers = True  # else it ends the connection instead
        self.listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer = self.listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, contextlib.suppress(OSError):
            peer.settimeout(10)
            if not self.context:
                peer.recv(1)
                peer.sendall(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\nconnection: close\r\n\r\n")
                return
            with self.context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False) as peer:
                self._shake_hands(peer)
                self.resumed.append(peer.session_reused)
                self.clients.append(_common_name(peer.getpeercert()))
                self._answer(peer)
                # Up to TLS 1.2 a session whose connection ends without this is not resumed. Source:
                # OpenSSL, SSL_shutdown(3).
                peer.unwrap()

    @staticmethod
    def _shake_hands(peer):
        """A client that is refused may have sent its request already: where that is not read, the
        connection's end is a reset, which can take the alert with it. Source: RFC 9112 section 9.6.
        """
        try:
            peer.do_handshake()
        except ssl.SSLError:
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass
            raise

    def _answer(self, peer):
        data = b""
        while not (end := data.find(b"\r\n\r\n") + 4) > 3 or len(data) < end + int(_LENGTH.search(data)[1]):
            piece = peer.recv(1 << 16)
            if not piece:
                return
            data += piece
        self.requests += 1
        self.last = data
        if self.answers:
            peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
        self.listener.close()
