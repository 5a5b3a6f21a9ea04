"""Which packages are imported when: each case runs in its own process."""

from __future__ import annotations

import subprocess
import sys

import pytest

SECRET_KEY = """
import time
from chatd.auth import AuthConfig, Verifier, load_keys, mint
config = AuthConfig(jwt_secret="x" * 32)
token = mint(b"x" * 32, "u", "n", "r", 60, time.time())
assert Verifier(config, load_keys(config), time.time).verify(token).user == "u"
"""
PUBLIC_KEY = """
import pathlib, tempfile
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from chatd.auth import AuthConfig, load_keys
private = ed25519.Ed25519PrivateKey.generate()
path = pathlib.Path(tempfile.mkdtemp()) / "key.pem"
path.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
config = AuthConfig(jwt_public_key_file=(path,))
(key,) = load_keys(config)
assert key.signed(b"message", private.sign(b"message"))
assert not key.signed(b"another", private.sign(b"message"))
"""
NO_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
from chatd.auth.pyjwt import import_pyjwt
from chatd.base.errors import ConfigError
try:
    import_pyjwt(public_keys=True)
except ConfigError as error:
    assert "pip install" in str(error)
else:
    raise SystemExit("not refused")
"""


def imported_after(code: str) -> set[str]:
    """Run `code` in a fresh interpreter; return the imported top-level packages."""
    code += "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def test_importing_auth_imports_neither_pyjwt_nor_cryptography() -> None:
    assert not imported_after("import chatd.auth, chatd.daemon.config, chatd.cli.serve") & {"jwt", "cryptography"}


def test_a_secret_needs_no_cryptography() -> None:
    assert imported_after(SECRET_KEY) & {"jwt", "cryptography"} == {"jwt"}


@pytest.mark.parametrize("before", ["", SECRET_KEY, "import jwt"])
def test_a_public_key_works_after_any_other_import(before: str) -> None:
    assert imported_after(before + PUBLIC_KEY) >= {"jwt", "cryptography"}


def test_a_secret_works_after_a_public_key() -> None:
    imported_after(PUBLIC_KEY + SECRET_KEY)


def test_an_earlier_import_of_cryptography_is_kept() -> None:
    assert imported_after("import cryptography" + SECRET_KEY) >= {"jwt", "cryptography"}


def test_a_public_key_without_the_package_says_what_to_install() -> None:
    imported_after(NO_CRYPTOGRAPHY)
