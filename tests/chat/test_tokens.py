"""Forged and valid tokens, in one table, sent in a CONNECT to a server with three keys; and SIGHUP, which
adds and removes keys and disconnects users.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.chat.daemon import Daemon, daemon
from tests.chat.people import Person, chatting, connect, cookie, join, refused
from tests.conformance.wire import NO_FRAME

NOW_SECRET: Final = b"the secret that signs now, forty bytes.."
OLD_SECRET: Final = b"the secret that signed before, and holds"
RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_JWK: Final = RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)
RSA_PEM: Final = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

CLAIMS: Final[Mapping[str, object]] = {"user": "ana", "name": "Ana", "rol": "user", "iss": "login", "aud": "chat"}


def claims(**changes: object) -> dict[str, object]:
    """Valid claims, with changes; a claim whose value is `...` is left out."""
    said = {**CLAIMS, "exp": int(time.time()) + 3600, **changes}
    return {name: value for name, value in said.items() if value is not ...}


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(header: object, **changes: object) -> str:
    return f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims(**changes)).encode())}"


def hashed(header: object, secret: bytes = NOW_SECRET, **changes: object) -> str:
    """Any header with an HS256 signature."""
    message = unsigned(header, **changes)
    return f"{message}.{base64url(hmac.digest(secret, message.encode(), hashlib.sha256))}"


def signed(secret: bytes = NOW_SECRET, kid: object = ..., **changes: object) -> str:
    """A valid HS256 token."""
    return hashed({"alg": "HS256", "typ": "JWT", **({} if kid is ... else {"kid": kid})}, secret, **changes)


def rsa_signed(header: Mapping[str, str] | None = None, **changes: object) -> str:
    return jwt.encode(claims(**changes), RSA, "RS256", headers=dict(header or {}))


def with_signature(token: str, signature: str) -> str:
    return f"{token.rpartition('.')[0]}.{signature}"


SOON: Final = int(time.time()) + 86_400  # the last test may run long after the import

ACCEPTED: Final[Mapping[str, str]] = {
    "the secret of now, by name": signed(kid="now"),
    "the secret of before, by name": signed(OLD_SECRET, kid="before"),
    "the public key, by name": rsa_signed({"kid": "rsa"}),
    "the secret of now, unnamed": signed(),
    "the secret of before, unnamed": signed(OLD_SECRET),
    "the public key, unnamed": rsa_signed(),
    "one of several audiences": signed(aud=["other", "chat"]),
    "an id that is not on the list": signed(jti="mine"),
    "issued in the future": signed(iat=SOON),
    "issued at no time": signed(iat="yesterday"),
    "odd claims that nobody asks for": signed(jti=["stolen"], sub={"id": 7}),
}

REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    # Without a signature.
    "alg none": (unsigned({"alg": "none"}) + ".", "token_invalid"),
    "alg None": (unsigned({"alg": "None"}) + ".", "token_invalid"),
    "alg nOnE with a signature": (hashed({"alg": "nOnE"}), "token_invalid"),
    "alg none with a signature that holds for HS256": (hashed({"alg": "none"}), "token_invalid"),
    "alg is empty": (hashed({"alg": ""}), "token_invalid"),
    "alg is null": (hashed({"alg": None}), "token_invalid"),
    "alg is a list": (hashed({"alg": ["HS256"]}), "token_invalid"),
    "no alg": (hashed({"typ": "JWT"}), "token_invalid"),
    "no signature under HS256": (unsigned({"alg": "HS256"}) + ".", "token_invalid"),
    "no third part": (unsigned({"alg": "HS256"}), "token_invalid"),
    # Confused algorithms.
    "the public key as a secret": (hashed({"alg": "HS256"}, RSA_PEM), "token_invalid"),
    "the public key as a secret, by its name": (hashed({"alg": "HS256", "kid": "rsa"}, RSA_PEM), "token_invalid"),
    "the public key as a secret, stripped": (hashed({"alg": "HS256"}, RSA_PEM.strip()), "token_invalid"),
    "the secret under RS256": (hashed({"alg": "RS256"}), "token_invalid"),
    "the secret under RS256, by the key's name": (hashed({"alg": "RS256", "kid": "rsa"}), "token_invalid"),
    "the secret under HS512": (jwt.encode(claims(), NOW_SECRET * 2, "HS512"), "token_invalid"),
    "the key under PS256": (jwt.encode(claims(), RSA, "PS256"), "token_invalid"),
    "the key under RS512": (jwt.encode(claims(), RSA, "RS512"), "token_invalid"),
    # A wrong signature.
    "another secret": (signed(OLD_SECRET[::-1]), "token_invalid"),
    "an empty secret": (signed(b""), "token_invalid"),
    "a changed signature": (with_signature(signed(), base64url(bytes(32))), "token_invalid"),
    "a signature cut short": (signed()[:-1], "token_invalid"),
    "a signature of other claims": (with_signature(signed(rol="admin"), signed().rpartition(".")[2]), "token_invalid"),
    "another RSA key": (jwt.encode(claims(), STRANGER, "RS256"), "token_invalid"),
    # Kids.
    "a kid that points nowhere": (signed(kid="nowhere"), "token_invalid"),
    "the kid of another secret": (signed(kid="before"), "token_invalid"),
    "the kid of the public key": (signed(kid="rsa"), "token_invalid"),
    "a kid that is a path": (signed(b"", kid="../../../../dev/null"), "token_invalid"),
    "a kid that is a statement": (signed(b"x", kid="' UNION SELECT 'x"), "token_invalid"),
    "a kid that is a number": (signed(kid=0), "token_invalid"),
    "a kid that is null": (signed(kid=None), "token_invalid"),
    "a kid that is empty": (signed(kid=""), "token_invalid"),
    # Keys in the token.
    "a key in the header": (
        jwt.encode(claims(), STRANGER, "RS256", headers={"jwk": STRANGERS_JWK}),
        "token_invalid",
    ),
    "an address of keys": (hashed({"alg": "HS256", "jku": "http://127.0.0.1:9/k"}, b"x" * 32), "token_invalid"),
    "an extension that must be understood": (hashed({"alg": "HS256", "crit": ["exp"]}), "token_invalid"),
    # Another audience or issuer, or another time.
    "another issuer": (signed(iss="elsewhere"), "token_invalid"),
    "no issuer": (signed(iss=...), "token_invalid"),
    "another audience": (signed(aud="elsewhere"), "token_invalid"),
    "no audience": (signed(aud=...), "token_invalid"),
    "other audiences": (signed(aud=["x", "y"]), "token_invalid"),
    "valid soon": (signed(nbf=SOON), "token_invalid"),
    "expired": (signed(exp=int(time.time()) - 60), "token_expired"),
    "for ever": (signed(exp=...), "claims_invalid"),
    "exp is a text": (signed(exp=str(SOON)), "claims_invalid"),
    "exp is infinite": (signed(exp=float("inf")), "claims_invalid"),
    "nobody": (signed(user=...), "claims_invalid"),
    "rol is a list": (signed(rol=["admin"]), "claims_invalid"),
    # Too long.
    "a huge claim": (signed(filler="x" * 8_192), "token_invalid"),
    "a huge header": (hashed({"alg": "HS256", "filler": "x" * 8_192}), "token_invalid"),
    "a huge signature": (with_signature(signed(), "A" * 8_192), "token_invalid"),
    # Denied.
    "a token on the list": (signed(jti="stolen"), "token_denied"),
    "a user on the list": (signed(user="mallory"), "token_denied"),
    "a user on the list with spaces at its ends": (signed(user=" mallory "), "token_denied"),
    "a token on the list whose id is a number": (signed(jti=4711), "token_denied"),
    "a user on the list, under another key": (rsa_signed(user="mallory", jti="mine"), "token_denied"),
    "a token on the list that has expired": (signed(jti="stolen", exp=1), "token_expired"),
    "a token on the list that is forged": (signed(OLD_SECRET[::-1], jti="stolen"), "token_invalid"),
}  # fmt: skip


class Keys:
    """The operator's files."""

    def __init__(self, folder: Path) -> None:
        self.now, self.before = folder / "now", folder / "before"
        self.rsa, self.denied = folder / "rsa.pem", folder / "denied"
        self.now.write_bytes(NOW_SECRET)
        self.before.write_bytes(OLD_SECRET)
        self.rsa.write_bytes(RSA_PEM)
        self.denied.write_text('# not wanted\njti:stolen\njti:4711\nuser:mallory\nuser:" mallory "\n')

    def replace(self, file: str, content: bytes | None) -> bytes | None:
        """Replace a file, or delete it if `content` is None; return its old content."""
        path: Path = getattr(self, file)
        before = path.read_bytes() if path.exists() else None
        path.unlink() if content is None else path.write_bytes(content)
        return before

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "jwt_secret_file": [f"now={self.now}", f"before={self.before}"],
            "jwt_public_key_file": [f"rsa={self.rsa}"],
            "deny_file": str(self.denied),
            "jwt_issuer": "login",
            "jwt_audience": ["chat"],
        }

    @property
    def flags(self) -> list[str]:
        flags = []
        for name, value in self.settings.items():
            for one in [value] if isinstance(value, str) else value:
                flags += [f"--{name.replace('_', '-')}", one]
        return flags


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


@pytest.mark.parametrize("what", ACCEPTED)
async def test_a_valid_token_joins(db: Path, keys: Keys, what: str) -> None:
    """C-02, C-26"""
    async with chatting(db, **keys.settings) as chat:
        await join(chat.client, cookie(ACCEPTED[what]))
        assert chat.rooms == {"user:ana": 1}


@pytest.mark.parametrize("what", REFUSED)
async def test_an_invalid_token_is_refused_with_its_code(db: Path, keys: Keys, what: str) -> None:
    """C-02, C-04, C-25, C-26: in the cookie, in `auth` and in the header, with the same answer."""
    token, code = REFUSED[what]
    async with chatting(db, max_header="65536", **keys.settings) as chat:
        ways: list[tuple[dict[str, str] | None, object]] = [
            (cookie(token), None),
            (None, {"token": token}),
            ({"Authorization": f"Bearer {token}"}, None),
        ]
        answers = [await refused(chat.client, headers, auth) for headers, auth in ways]
        assert [said for said, _ in answers] == [code] * 3
        assert len(set(answers)) == 1
        assert chat.rooms == {}


async def test_a_token_that_is_too_long_is_refused_like_any_other(db: Path, keys: Keys) -> None:
    """C-02"""
    async with chatting(db, **keys.settings) as chat:
        code, _ = await refused(chat.client, auth={"token": signed(filler="x" * 10_000)})
        assert code == "token_invalid"


async def test_a_token_of_a_megabyte_is_not_read(db: Path, keys: Keys) -> None:
    """L-11"""
    async with chatting(db, **keys.settings) as chat:
        websocket = await chat.client.websocket()
        await websocket.send("40" + json.dumps({"token": signed(filler="x" * 700_000)}))
        assert await websocket.closed() == 1009


async def enter(chatd: Daemon, token: str) -> Person:
    return await join(chatd.client, cookie(token))


async def turned_out(person: Person) -> str:
    """The code of the event that ends a session; the session must be closed after it."""
    event, why = await person.hear()
    assert event == "desconexion"
    assert why.keys() == {"code", "message"}
    assert await person.websocket.closed() == NO_FRAME
    person.websocket.close()
    return str(why["code"])


async def refusal(chatd: Daemon, token: str) -> str:
    answer, websocket = await connect(chatd.client, cookie(token))
    websocket.close()
    return str(json.loads(answer.removeprefix("44"))["data"]["code"])


async def reload(chatd: Daemon, expected: str = "reloaded") -> None:
    """Send SIGHUP, and wait for the log line."""
    chatd.process.send_signal(signal.SIGHUP)
    await chatd.logged(expected)


async def test_a_denied_user_is_disconnected_and_refused(db: Path, keys: Keys) -> None:
    """C-25, C-27: by token or by user, on every socket; other users are not affected."""
    async with daemon(db, *keys.flags) as chatd:
        ana, stolen = await enter(chatd, signed(jti="mine")), await enter(chatd, signed(jti="lost"))
        eva, tab = await enter(chatd, signed(user="eva")), await enter(chatd, rsa_signed(user="eva"))
        keys.denied.write_text("jti:lost\nuser:eva\n")
        await reload(chatd)
        assert [await turned_out(person) for person in (stolen, eva, tab)] == ["token_denied"] * 3
        assert await refusal(chatd, signed(jti="lost")) == "token_denied"
        assert await refusal(chatd, signed(user="eva")) == "token_denied"
        assert (await ana.write("root", "hola"))["ok"] is True
        await enter(chatd, signed(user="mallory"))  # not denied any more
        assert chatd.faults == []


async def test_a_removed_key_ends_its_sockets_and_a_new_key_is_accepted(db: Path, keys: Keys) -> None:
    """C-26, C-27: in a rotation the old secret stays for a while, and no session ends."""
    async with daemon(db, *keys.flags) as chatd:
        now, before, by_rsa = (
            await enter(chatd, signed(kid="now")),
            await enter(chatd, signed(OLD_SECRET)),
            await enter(chatd, rsa_signed()),
        )
        new = b"a secret that was made today, of 40 byte"
        keys.before.write_bytes(NOW_SECRET)
        keys.now.write_bytes(new)
        await reload(chatd)
        assert await turned_out(before) == "token_invalid"
        assert await refusal(chatd, signed(OLD_SECRET)) == "token_invalid"
        for person in (
            now,
            by_rsa,
            await enter(chatd, signed(new, kid="now")),
            await enter(chatd, signed(kid="before")),
        ):
            assert (await person.write("root", "hola"))["ok"] is True
        assert chatd.faults == []


@pytest.mark.parametrize(
    ("file", "content"),
    [("now", b"too short"), ("rsa", b"no key"), ("denied", b"mallory"), ("now", None), ("denied", None)],
)
async def test_a_file_that_cannot_be_used_changes_nothing(
    db: Path, keys: Keys, file: str, content: bytes | None
) -> None:
    """C-27: the other files are not applied either."""
    async with daemon(db, *keys.flags) as chatd:
        ana, old = await enter(chatd, signed()), await enter(chatd, signed(OLD_SECRET))
        keys.before.write_bytes(OLD_SECRET[::-1])
        keys.denied.write_text("user:ana\n")
        good = keys.replace(file, content)
        await reload(chatd, "nothing was reloaded")
        for person in (ana, old, await enter(chatd, signed()), await enter(chatd, signed(OLD_SECRET))):
            assert (await person.write("root", "hola"))["ok"] is True
        assert await refusal(chatd, signed(user="mallory")) == "token_denied"
        keys.replace(file, good)
        await reload(chatd)
        assert await turned_out(ana) == "token_denied"


async def test_a_hundred_reloads_end_no_session(db: Path, keys: Keys) -> None:
    """C-27"""
    async with daemon(db, *keys.flags) as chatd:
        ana = await enter(chatd, signed())
        for _ in range(100):
            chatd.process.send_signal(signal.SIGHUP)
            assert (await ana.write("root", "hola"))["ok"] is True
        chatd.terminate()
        assert await ana.websocket.closed() == NO_FRAME
        ana.websocket.close()
        assert await chatd.ended() == 0
        assert chatd.faults == []
