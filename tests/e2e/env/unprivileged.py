"""Programs that run as another user than the tests: the files that a process without root's rights
may read and write.
"""

import os
import shutil

import pytest

from .programs import Gateway, Worker

USER, GROUP, FS_GROUP = 64001, 64003, 64004
ROOT = 0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


class Unprivileged:
    """The user USER of GROUP and, as Kubernetes adds it for a pod's volumes, FS_GROUP. Its programs
    are copies that it may reach.
    """

    def __init__(self, world):
        self.world = world
        self.identity = ["--reuid", USER, "--regid", GROUP, "--groups", FS_GROUP, "--inh-caps=-all"]
        self.identity = list(map(str, self.identity))
        for folder in (world.directory, *world.directory.parents):
            if folder.stat().st_uid == ROOT:
                folder.chmod(folder.stat().st_mode | 0o111)
        self.programs = world.directory / "bin"
        self.programs.mkdir()

    def _program(self, kind, id, ready, settings):
        settings = {key.replace("_", "."): value for key, value in settings.items()}
        program = kind(self.world.directory, id, self.world.settings | self.world.login(kind.kind) | settings, self.identity)
        program.program = shutil.copy(kind.program, self.programs)
        os.chown(program.config, USER, GROUP)
        self.world.workers.append(program)
        return program.start(ready)

    def worker(self, id="worker-1", ready=True, **settings):
        return self._program(Worker, id, ready, settings)

    def gateway(self, id="gateway-1", ready=True, **settings):
        return self._program(Gateway, id, ready, settings)

    def command(self, program, *arguments):
        """To be run as this user."""
        return ["setpriv", *self.identity, shutil.copy(program, self.programs), *map(str, arguments)]

    def folder(self, name, owner=USER, group=GROUP, mode=0o700):
        folder = self.world.directory / name
        folder.mkdir(parents=True)
        os.chown(folder, owner, group)
        folder.chmod(mode)
        return folder

    def secret_volume(self, name, files, mode=0o440):
        """{name: bytes} as the kubelet mounts a Secret for a pod with fsGroup; returns the folder.

        Names are links through `..data`, and the files are root's.
        """
        volume = self.folder(name, ROOT, FS_GROUP, 0o1777)
        data = volume / "..2026_01_31_12_00_00.1234567890"
        data.mkdir(0o755)
        (volume / "..data").symlink_to(data.name)
        for file, content in files.items():
            (data / file).write_bytes(content)
            os.chown(data / file, ROOT, FS_GROUP)
            (data / file).chmod(mode)
            (volume / file).symlink_to(f"..data/{file}")
        return volume
