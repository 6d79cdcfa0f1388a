"""libsodium's sealed boxes, by its own functions: who asks for a webhook's secret opens one."""

import base64
import ctypes
import ctypes.util

KEY_LEN, SEAL_LEN = 32, 48


class SealedBox:
    """A key pair made for the questions of a test."""

    def __init__(self):
        self.sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
        self.public, self.private = (ctypes.create_string_buffer(KEY_LEN) for _ in range(2))
        assert self.sodium.crypto_box_keypair(self.public, self.private) == 0
        self.public_key = base64.urlsafe_b64encode(self.public.raw).rstrip(b"=").decode()

    def open(self, text):
        """The text that was sealed for the public key; `text` is its base64url."""
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        opened = ctypes.create_string_buffer(len(sealed) - SEAL_LEN)
        assert self.sodium.crypto_box_seal_open(opened, sealed, ctypes.c_ulonglong(len(sealed)), self.public, self.private) == 0
        return opened.raw.decode()
