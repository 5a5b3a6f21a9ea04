"""API requests and answers: keys, methods, types, sizes, rates."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import ssl
from pathlib import Path
from typing import Any

import pytest

from chatd.api.keys import Scope
from chatd.cli import EXIT_CONFIG
from tests.api.served import Api, System, add_key, serving_api
from tests.chat.daemon import complaint, daemon
from tests.conformance.wire import Answer
from tests.listen.certificates import make_certificate
from tests.store.rig import locked

SOME_MESSAGE = {"para": "ana", "mensaje": "hola"}


def problem(answer: Answer) -> tuple[int, str]:
    """Check the form of a problem document; return its status and code."""
    assert answer.header("content-type") == "application/problem+json", answer
    said = answer.json()
    assert said["status"] == answer.status
    assert {"title", "detail", "instance"} <= said.keys()
    assert said["instance"] == f"urn:chatd:request:{answer.header('x-request-id')}"
    return answer.status, said["code"]


async def test_a_request_without_a_valid_key_is_answered_401(api: Api) -> None:
    """A-03"""
    stranger = await api.stranger()
    answer = await stranger.ask("GET", "/v1/conversaciones")
    assert problem(answer) == (401, "key_missing")
    assert answer.header("www-authenticate") == 'Bearer realm="chatd"'
    for header in ("Bearer wrong", "bearer \u00ff", f"Basic {api.key}", "Bearer"):
        answer = await stranger.ask("GET", "/v1/conversaciones", Authorization=header)
        assert problem(answer) == (401, "key_invalid")


async def test_a_key_is_limited_to_its_scopes(api: Api) -> None:
    """A-03"""
    key = add_key(api.keys, "reader", Scope.READ)
    api.chatd.process.send_signal(signal.SIGHUP)
    await api.chatd.logged("reloaded")
    reader = await api.system(key)
    assert (await reader.ask("GET", "/v1/no_leidos")).status == 200
    for method, target in (("GET", "/v1/personas"), ("GET", "/v1/cuentas"), ("DELETE", "/v1/personas/ana")):
        assert problem(await reader.ask(method, target)) == (403, "scope_missing")
    assert problem(await reader.ask("POST", "/v1/mensajes", SOME_MESSAGE)) == (403, "scope_missing")


async def test_a_key_removed_from_the_file_is_refused_after_a_reload(api: Api, bot: System) -> None:
    """A-04"""
    api.keys.write_text("")
    assert (await bot.ask("GET", "/v1/no_leidos")).status == 200
    api.chatd.process.send_signal(signal.SIGHUP)
    await api.chatd.logged("reloaded")
    assert problem(await bot.ask("GET", "/v1/no_leidos")) == (401, "key_invalid")


async def test_a_reload_with_an_invalid_file_of_keys_changes_nothing(api: Api, bot: System) -> None:
    """A-04"""
    with api.keys.open("a") as file:
        file.write("slip\n")
    api.chatd.process.send_signal(signal.SIGHUP)
    await api.chatd.logged("nothing was reloaded")
    assert (await bot.ask("GET", "/v1/no_leidos")).status == 200


NOWHERE = ["/", "/v1", "/v1/nothing", "/v1/conversaciones/a/b/c", "/v1/mensajes/", "*"]


async def test_an_unknown_path_is_answered_404(bot: System) -> None:
    """A-06"""
    for target in NOWHERE:
        assert problem(await bot.ask("GET", target)) == (404, "not_found")


OTHER_METHODS = [
    ("GET", "/v1/mensajes", "OPTIONS, POST"),
    ("POST", "/v1/conversaciones/ana", "GET, HEAD, OPTIONS"),
    ("TRACE", "/v1/personas/ana", "DELETE, OPTIONS"),
    ("QUERY", "/v1/openapi.json", "GET, HEAD, OPTIONS"),
]


async def test_a_wrong_method_is_answered_405_with_allow(bot: System) -> None:
    """A-06"""
    for method, target, allow in OTHER_METHODS:
        answer = await bot.ask(method, target)
        assert problem(answer) == (405, "method_not_allowed")
        assert answer.header("allow") == allow
        options = await bot.ask("OPTIONS", target)
        assert (options.status, options.header("allow"), options.body) == (200, allow, b"")


async def test_head_answers_as_get_without_a_body(bot: System) -> None:
    """A-06"""
    got, head = await bot.ask("GET", "/v1/no_leidos"), await bot.ask("HEAD", "/v1/no_leidos")
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == str(len(got.body))
    assert head.header("etag") == got.header("etag")


async def test_an_unchanged_answer_is_304(bot: System) -> None:
    """A-10"""
    target = "/v1/conversaciones/ana/mensajes"
    tag = (await bot.ask("GET", target)).header("etag")
    assert tag is not None
    same = await bot.ask("GET", target, If_None_Match=f'"other", {tag}')
    assert (same.status, same.body, same.header("etag")) == (304, b"", tag)
    assert (await bot.ask("GET", target, If_None_Match="*")).status == 304
    await bot.send("ana", "news")
    changed = await bot.ask("GET", target, If_None_Match=tag)
    assert changed.status == 200
    assert changed.header("etag") != tag


BAD_MESSAGES: list[tuple[Any, tuple[int, str]]] = [
    ({"mensaje": "x"}, (422, "arguments_invalid")),
    ({"para": "", "mensaje": "x"}, (422, "para_invalid")),
    ({"para": "a" * 129, "mensaje": "x"}, (422, "para_invalid")),
    ({"para": "ana", "mensaje": 7}, (422, "mensaje_invalid")),
    ({"para": "ana", "mensaje": ""}, (422, "mensaje_invalid")),
    ({"para": "ana", "mensaje": "x" * 100_001}, (422, "mensaje_too_long")),
    ({"para": "ana", "mensaje": "x", "cid": ""}, (422, "cid_invalid")),
    ({"para": "ana", "mensaje": "x", "rol": "boss"}, (422, "arguments_invalid")),
    ({"para": "ana", "mensaje": "x", "texto": "y"}, (422, "arguments_invalid")),
    ([], (422, "arguments_invalid")),
    (b"{", (400, "body_not_json")),
    (b"", (400, "body_not_json")),
    (b'{"para": "\xff"}', (400, "body_not_json")),
    (b'{"para": "ana", "mensaje": "\\ud800"}', (400, "body_not_json")),
    (b"[" * 100_000, (400, "body_not_json")),
]


async def test_an_invalid_message_is_refused(bot: System) -> None:
    """A-05"""
    for body, code in BAD_MESSAGES:
        assert problem(await bot.ask("POST", "/v1/mensajes", body)) == code, body
        await bot.send("ana", "the connection goes on")


BAD_QUESTIONS = [
    ("/v1/conversaciones?limite=0", "limite_invalid"),
    ("/v1/conversaciones?limite=x", "limite_invalid"),
    ("/v1/conversaciones?antes=-1", "antes_invalid"),
    ("/v1/conversaciones?antes=9999999999999999999", "antes_invalid"),
    ("/v1/conversaciones?limite=1&limite=1", "arguments_invalid"),
    ("/v1/conversaciones?rol=null", "arguments_invalid"),
    ("/v1/conversaciones?limit=5", "arguments_invalid"),
    ("/v1/conversaciones/a%00b/mensajes?despues=x", "despues_invalid"),
    ("/v1/conversaciones/" + "a" * 129, "con_invalid"),
    ("/v1/cuentas?x=1", "arguments_invalid"),
]


async def test_an_invalid_query_is_refused(bot: System) -> None:
    """A-05"""
    for target, code in BAD_QUESTIONS:
        assert problem(await bot.ask("GET", target)) == (422, code), target


async def test_a_contradictory_query_is_refused(bot: System) -> None:
    """A-05"""
    for target in ("/v1/conversaciones?antes=1&buscar=a", "/v1/conversaciones/ana/mensajes?antes=1&despues=1"):
        assert problem(await bot.ask("GET", target)) == (409, "contradiction")


async def test_a_read_receipt_for_an_unknown_message_is_refused(bot: System) -> None:
    """A-13"""
    for hasta, status in (("0", 404), ("x", 422)):
        answer = await bot.ask("POST", "/v1/leidos", {"con": "ana", "hasta": hasta})
        assert problem(answer) == (status, "hasta_invalid")


async def test_an_idempotency_key_that_is_not_ascii_is_refused(bot: System) -> None:
    """A-09"""
    answer = await bot.ask("POST", "/v1/mensajes", SOME_MESSAGE, Idempotency_Key="\u00e9")
    assert problem(answer) == (422, "cid_invalid")


async def test_a_user_name_in_a_path_is_percent_encoded(bot: System) -> None:
    """A-06"""
    await bot.send("a/b ñ?", "hola")
    page = await bot.get("/v1/conversaciones/a%2Fb%20%C3%B1%3F/mensajes")
    assert [message["para"] for message in page["mensajes"]] == ["a/b ñ?"]
    assert problem(await bot.ask("GET", "/v1/conversaciones/%FF")) == (404, "not_found")


async def test_a_body_of_another_content_type_is_refused(bot: System) -> None:
    """A-05"""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await bot.ask("POST", "/v1/mensajes", SOME_MESSAGE, Content_Type=kind)
        assert problem(answer) == (415, "type_not_supported")
    answer = await bot.ask("POST", "/v1/mensajes", SOME_MESSAGE, Content_Type="Application/JSON; charset=utf-8")
    assert answer.status == 201


async def test_a_body_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A-19"""
    async with serving_api(tmp_path, "--api-max-body", "2000") as api:
        bot = await api.system()
        assert problem(await bot.ask("POST", "/v1/mensajes", b" " * 2_001)) == (413, "body_too_long")
        counts = (await (await api.system()).get("/v1/cuentas"))["cuentas"]
        refused = {
            each["etiquetas"]["reason"]: each["valor"] for each in counts if each["nombre"] == "chatd_refusals_total"
        }
        assert refused["api_max_body"] == 1


async def test_the_id_of_a_request_is_in_the_answer_and_in_the_log(tmp_path: Path) -> None:
    """A-05"""
    async with serving_api(tmp_path, "--log-level", "debug") as api:
        bot = await api.system()
        assert (await bot.ask("GET", "/v1/no_leidos", X_Request_Id="trace-1.a")).header("x-request-id") == "trace-1.a"
        made = (await bot.ask("GET", "/v1/no_leidos", X_Request_Id="no id")).header("x-request-id")
        assert made is not None
        assert len(made) == 16
        first = await api.chatd.logged("answered")
        assert (first["request_id"], first["key"], first["status"]) == ("trace-1.a", "bot", 200)
        assert (first["level"], first["method"], first["operation"]) == ("debug", "GET", "/v1/no_leidos")
        assert (await api.chatd.logged("answered"))["request_id"] == made
        assert api.key not in str(api.chatd.log)


async def test_a_key_over_its_rate_limit_is_answered_429(tmp_path: Path) -> None:
    """A-18"""
    async with serving_api(tmp_path, "--api-rate", "1") as api:
        key = add_key(api.keys, "other")
        api.chatd.process.send_signal(signal.SIGHUP)
        await api.chatd.logged("reloaded")
        bot = await api.system()
        answers = [await bot.ask("GET", "/v1/no_leidos") for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert problem(answers[-1]) == (429, "rate_limited")
        assert answers[-1].header("retry-after") == "1"
        assert (await (await api.system(key)).ask("GET", "/v1/no_leidos")).status == 200
        assert (await api.chatd.logged("request refused: its key sends too many"))["key"] == "bot"


async def test_an_address_that_guesses_keys_is_answered_429(tmp_path: Path) -> None:
    """A-18"""
    async with serving_api(tmp_path, "--api-address-rate", "1") as api:
        stranger = await api.stranger()
        statuses = [(await stranger.ask("GET", "/v1/personas", Authorization=f"Bearer {n}")).status for n in range(3)]
        assert statuses == [401, 401, 429]
        assert (await (await api.system()).ask("GET", "/v1/no_leidos")).status == 200


async def test_a_database_timeout_is_answered_503(tmp_path: Path) -> None:
    """A-19"""
    async with serving_api(tmp_path, "--api-timeout", "0.2", "--busy-timeout", "20") as api:
        bot = await api.system()
        with locked(tmp_path / "chatd.db"):
            answer = await bot.ask("POST", "/v1/mensajes", {**SOME_MESSAGE, "cid": "c"})
            assert problem(answer) == (503, "timeout")
            assert answer.header("retry-after") == "1"
        assert (await bot.send("ana", "hola", cid="c"))["ok"] is True
        with sqlite3.connect(tmp_path / "chatd.db") as file:
            assert file.execute("SELECT count(*) FROM mensajes").fetchone() == (1,)


async def test_a_client_that_disconnects_before_its_answer_affects_no_other(tmp_path: Path) -> None:
    """A-01"""
    async with serving_api(tmp_path, "--busy-timeout", "20") as api:
        bot, other = await api.system(), await api.system()
        with locked(tmp_path / "chatd.db"):
            asking = asyncio.ensure_future(bot.send("ana", "hola"))
            await other.get("/v1/personas")
            bot.connection.abort()
            asking.cancel()
        assert (await other.send("ana", "next"))["ok"] is True
        assert api.chatd.faults == []


async def test_the_api_speaks_tls_with_the_certificate_of_the_main_listener(tmp_path: Path) -> None:
    """A-01"""
    certificate, key = make_certificate(tmp_path, "api")
    flags = ("--tls-cert", certificate, "--tls-key", key, "--api-tls")
    keys = tmp_path / "keys"
    add_key(keys, "bot")
    async with daemon(tmp_path / "c.db", "--api", "127.0.0.1:0", "--api-keys-file", keys, *flags) as chatd:
        [where] = [line for line in chatd.log if line["message"] == "listening for other systems"]
        context = ssl.create_default_context(cafile=certificate)
        reader, writer = await asyncio.open_connection(
            where["host"], where["port"], ssl=context, server_hostname="127.0.0.1"
        )
        writer.write(b"GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.close()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--api", "127.0.0.1:0"), "api_keys_file: nobody can use --api without keys"),
        (("--api", "8600"), "api: '8600' is no HOST:PORT"),
        (("--api", "0.0.0.0:0", "--api-keys-file", "x"), "api: 0.0.0.0 is not 127.0.0.1"),
        (("--api", "127.0.0.1:0", "--api-keys-file", "x", "--api-tls"), "api_tls: the API has the certificate"),
        (("--api", "127.0.0.1:0", "--api-keys-file", "/nowhere"), "api_keys_file: cannot read /nowhere"),
    ],
)
async def test_the_error_of_an_invalid_setting_names_it(tmp_path: Path, flags: tuple[str, ...], words: str) -> None:
    """A-01"""
    code, said = await complaint("--db", str(tmp_path / "c.db"), *flags)
    assert (code, said.startswith(f"chatd: {words}")) == (EXIT_CONFIG, True), said
