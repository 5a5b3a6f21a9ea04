"""protocol.md, the code and the tests name the same rules, codes and limits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from chatd.api.operations import OPERATIONS
from chatd.api.problem import STATUS_OF, ApiCode
from chatd.auth import AuthCode
from chatd.chat.events import EventCode
from chatd.chat.limits import LimitCode
from chatd.daemon.config import OPTIONS
from chatd.engineio.reasons import CloseReason
from chatd.engineio.request import Refusal
from chatd.store.base import StoreCode

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "protocol.md").read_text()

_PROMISE: Final = re.compile(r"^- \*\*([ESCLNPKDAWMJ]-\d\d)\*\* ", re.MULTILINE)
_CITED: Final = re.compile(r"\b([ESCLNPKDAWMJ])-(\d\d)\b(?: to \1-(\d\d)\b)?")
_CODE: Final = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_LIMIT: Final = re.compile(r"^\| (?P<what>[^|]+) \| (?P<default>[\d,]+) \| (?:`(?P<flag>--[\w-]+)`)? ?\|", re.MULTILINE)

PROMISED: Final = _PROMISE.findall(PAGE)


def cited(text: str) -> set[str]:
    """The rules that a text names. A range stands for all rules of protocol.md in it, and for its two ends."""
    found: set[str] = set()
    for letter, first, last in _CITED.findall(text):
        numbers = range(int(first), int(last or first) + 1)
        ends = {f"{letter}-{first}", f"{letter}-{last or first}"}
        found |= ends | ({f"{letter}-{number:02}" for number in numbers} & set(PROMISED))
    return found


def cited_in(paths: Iterable[Path]) -> set[str]:
    return {rule for path in paths for rule in cited(path.read_text())}


def section(title: str) -> str:
    """The text under the heading that begins with `title`, up to the next heading."""
    return re.split(r"^#{2,3} ", PAGE.split(f" {title}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_rule_has_one_definition() -> None:
    assert sorted(PROMISED) == sorted(set(PROMISED))
    assert {rule[0] for rule in PROMISED} == {"A", "W", "E", "S", "C", "L", "N", "P", "K", "D", "M", "J"}


def test_every_rule_is_named_in_the_code() -> None:
    assert cited_in(ROOT.glob("chatd/**/*.py")) == set(PROMISED)


def test_every_rule_is_named_in_a_test() -> None:
    assert cited_in(ROOT.glob("tests/**/*.py")) == set(PROMISED)


def test_the_page_names_no_undefined_rule() -> None:
    assert cited(PAGE) == set(PROMISED)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Rules E-05 and E-06", {"E-05", "E-06"}),
        ("Rules S-10 to S-13.", {"S-10", "S-11", "S-12", "S-13"}),
        ("a range with a hole, E-28 to E-30", {"E-28", "E-29", "E-30"}),
        ("E01, UTF-8, RFC-99", set()),
    ],
)
def test_a_citation_is_one_rule_or_a_range(text: str, rules: set[str]) -> None:
    assert cited(text) == rules


def test_the_page_has_every_code_of_a_refused_connect() -> None:
    codes = [*AuthCode, *LimitCode]
    assert _CODE.findall(section("4.1 "))[-len(codes) :] == [code.value for code in codes]


def test_the_page_has_every_code_of_a_refused_message() -> None:
    codes = [code.value for code in EventCode] + [code.value for code in StoreCode]
    assert sorted(_CODE.findall(section("4.3 "))) == sorted([*codes, *EVENTS])


EVENTS: Final = [
    "mensaje_privado",
    "mensaje_recibido",
    "mensaje_enviado",
    "mensaje_error",
    "desconexion",
    "al_dia",
    "presencia",
    "conectados",
    "atencion",
    "nodos",
    "leido",
    "no_leido",
    "leido_todo",
    "quien_soy",
    "avisos",
    "escribiendo",
    "conversacion",
    "historial",
    "conversaciones",
    "no_leidos",
    "buscar",
    "caso",
    "atender",
    "soltar",
    "resolver",
    "nota",
    "notas",
    "respuesta",
    "respuestas",
    "firma",
]


def test_the_page_has_every_code_of_the_api_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", section("8. "), re.MULTILINE)
    assert [(code, int(status)) for code, status in rows] == [(code.value, STATUS_OF[code]) for code in ApiCode]


def test_the_page_has_every_operation_of_the_api_with_its_scope() -> None:
    shown = section("8. ").replace("`PUT /v1/denegados/usuarios/{user}`, `.../jti/{jti}`", "`PUT /v1/denegados`")
    rows = re.findall(r"^\| `([A-Z]+ /v1/\S+)` \| (\w*) ?\|", shown, re.MULTILINE)
    declared = [(f"{one.method} {one.path}", one.scope or "") for one in OPERATIONS]
    denials = [row for row in declared if row[0].startswith("PUT /v1/denegados/")]
    assert len(denials) == 2
    assert sorted(rows) == sorted({*declared, ("PUT /v1/denegados", "kick")} - set(denials))


def test_the_page_has_every_reason_of_a_disconnect() -> None:
    reasons = re.findall(r"^\| `([a-z ]+)` \|", section("2.7 "), re.MULTILINE)
    assert sorted(reasons) == sorted(reason.value for reason in CloseReason)


def test_the_page_has_every_refusal_of_a_request() -> None:
    for refusal in Refusal:
        code, status, message = refusal.value
        shown = re.search(rf"^\| {code} \| {status} \| (.*?) \|", section("2.4 "), re.MULTILINE)
        assert shown
        assert shown[1].startswith(f"`{message}`") or refusal is Refusal.FORBIDDEN


def test_the_page_has_the_default_of_every_limit_with_a_setting() -> None:
    shown = {row["flag"]: row["default"] for row in _LIMIT.finditer(section("6. ")) if row["flag"]}
    assert len(shown) > 10
    assert shown == {option.flag: f"{option.default:,.15g}" for option in OPTIONS if option.flag in shown}


def test_every_flag_on_the_page_exists() -> None:
    flags = {flag for option in OPTIONS if option.flag for flag in (option.flag, f"--no-{option.flag[2:]}")}
    named = set(re.findall(r"`(--[a-z-]+)", PAGE)) - {"--flag"}
    assert named <= flags
