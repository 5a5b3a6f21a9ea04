"""`deploy/Containerfile`, built by buildah; its file system is run as the image's config says: read-only, without root.

Docker and Podman themselves are not tested.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from bench.ports import free_port
from tests.chat.daemon import PATIENCE_S
from tests.chat.people import SECRET, enter
from tests.conformance.wire import Client
from tests.deploy.conftest import ROOT, make
from tests.ops.tools import tool

BASE: Final = Path(sys.prefix) / "bookworm"
A_RUNTIME_WAITS_S: Final = 10.0
"""From the first signal to SIGKILL."""

pytestmark = [pytest.mark.whole_release, pytest.mark.timeout(900)]


class Image:
    """The read-only files of the image, and its config."""

    def __init__(self, files: Path, config: dict[str, Any]) -> None:
        self.files = files
        self.config = config
        self.user = int(config["User"].partition(":")[0])

    def start(self, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        """Run a command on the files, as the user and with the variables of the image."""
        said = dict(pair.split("=", 1) for pair in self.config["Env"])
        command = ["chroot", f"--userspec={self.config['User']}", str(self.files), *words]
        return subprocess.Popen(command, env=said | environ)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("container")
    make("deb", f"DIST={folder}/dist")
    storage = ["--root", f"{folder}/storage", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]

    def buildah(*words: str | Path) -> str:
        command = [tool("buildah", "buildah"), *storage, *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder / "storage")
        base = buildah("from", "scratch")
        buildah("add", "--quiet", base, BASE, "/")
        buildah("commit", "--quiet", "--rm", base, "chatd-base")
        containerfile = ("--file", ROOT / "deploy/Containerfile", "--build-arg", "BASE=localhost/chatd-base")
        buildah(
            "build", "--isolation", "chroot", "--format", "docker", *containerfile, "--tag", "chatd", folder / "dist"
        )
        container = buildah("from", "localhost/chatd")
        files = Path(buildah("mount", container))
        stack.callback(buildah, "umount", container)
        about = json.loads(buildah("inspect", "--type", "image", "localhost/chatd"))
        root = folder / "root"
        root.mkdir()
        stack.enter_context(mounted("--bind", files, root))
        subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
        yield Image(root, about["Docker"]["config"])


@contextlib.contextmanager
def mounted(*words: str | Path) -> Iterator[None]:
    """A mount on the last of `words`, for the time of the block."""
    subprocess.run(["mount", *words], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", words[-1]], check=True)


@pytest.fixture
def volumes(image: Image, tmp_path: Path) -> Iterator[Path]:
    """The folder of the database at the image's path, and the secret."""
    secret, db = tmp_path / "run/secrets/jwt-secret", tmp_path / "db"
    secret.parent.mkdir(parents=True)
    db.mkdir(mode=0o700)
    secret.write_text(SECRET)
    secret.chmod(0o400)
    for path in (secret, db):
        os.chown(path, image.user, image.user)
    [folder] = image.config["Volumes"]
    with mounted("--bind", tmp_path / "run", image.files / "run"), mounted("--bind", db, image.files / folder[1:]):
        yield db


def test_the_image_has_a_config_and_no_secret(image: Image) -> None:
    assert image.user != 0
    assert not (image.files / "etc/chatd/jwt-secret").exists()
    assert list(image.config["ExposedPorts"]) == ["8400/tcp"]
    assert image.config["StopSignal"] == "SIGTERM"


async def test_the_image_serves_is_healthy_and_stops_in_time(image: Image, volumes: Path) -> None:
    port = str(free_port())
    where = {"CHATD_PORT": port, "CHATD_INTERNAL": f"127.0.0.1:{free_port()}"}
    daemon = image.start(*image.config["Entrypoint"], *image.config["Cmd"], **where)
    try:
        await asyncio.to_thread(_until_healthy, image, daemon, where)
        async with Client("127.0.0.1", int(port), "/socket.io/") as client:
            ana, admin = await enter(client, "ana"), await enter(client, "admin", "admin")
            assert (await ana.write("admin", "hola"))["id"]
            assert "hola" in str(await admin.hear())
            daemon.send_signal(getattr(signal, image.config["StopSignal"]))
            assert await asyncio.to_thread(daemon.wait, A_RUNTIME_WAITS_S) == 0
    finally:
        daemon.kill()
        daemon.wait()
    assert "chatd.db" in await asyncio.to_thread(os.listdir, volumes)
    assert image.start(*image.config["Healthcheck"]["Test"][1:], **where).wait(PATIENCE_S) == 1


def _until_healthy(image: Image, daemon: subprocess.Popen[bytes], where: dict[str, str]) -> None:
    kind, *command = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    end = time.monotonic() + PATIENCE_S
    while image.start(*command, **where).wait(PATIENCE_S):
        assert daemon.poll() is None
        assert time.monotonic() < end
