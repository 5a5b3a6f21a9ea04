"""The OpenAPI document: it describes every operation, and a client can be generated from it."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from chatd.api.openapi import document
from chatd.api.operations import OPERATIONS
from tests.api.served import Api, serving_api

EXAMPLES: Final = 10
"""Requests for each operation and kind of test."""


CONFIG: Final = """
# A schema cannot say that a text has at most eight words.
[[operations]]
include-name = "GET /v1/encontrados"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "422", "429", "503"]
"""


def test_every_operation_is_described_once() -> None:
    """A-18"""
    said = document()
    described = [(method.upper(), path) for path, methods in said["paths"].items() for method in methods]
    assert described == [(one.method, one.path) for one in OPERATIONS]
    ids = [one["operationId"] for methods in said["paths"].values() for one in methods.values()]
    assert len(set(ids)) == len(ids)


def test_every_reference_resolves() -> None:
    """A-18"""
    said = document()
    for reference in _references(said):
        found: Any = said
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [str(value)] if key == "$ref" else _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


async def test_the_document_needs_no_key(api: Api) -> None:
    """A-18"""
    answer = await (await api.stranger()).ask("GET", "/v1/openapi.json")
    assert (answer.status, answer.json()) == (200, document())


async def run(*command: str | Path, cwd: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("admins", ["direct", "team"])
async def test_schemathesis_finds_no_fault_in_any_operation(tmp_path: Path, admins: str) -> None:
    """A-18: every answer to every generated request is one that the document describes. Streams: test_stream.py."""
    deny = tmp_path / "deny"
    deny.touch()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    limits = (
        "--api-rate",
        "0",
        "--api-address-rate",
        "0",
        "--presence",
        "on",
        "--admin-messages",
        admins,
        "--payload",
        "full",
        "--search",
        "on",
    )
    async with serving_api(tmp_path, "--deny-file", deny, *limits) as api:
        command = Path(sys.executable).with_name("schemathesis")
        code, said = await run(
            command, "run", f"{api.url}/v1/openapi.json", "--header", f"Authorization: Bearer {api.key}",
            "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color",
            "--exclude-path", "/v1/eventos", "--generation-database", "none", "--request-timeout", "20",
            cwd=tmp_path,
        )  # fmt: skip
        assert code == 0, said
        assert f"Selected: {len(OPERATIONS) - 2}/" in said  # without the document itself and the endless stream
        api.chatd.terminate()
        await api.chatd.ended()
        assert api.chatd.faults == []


@pytest.mark.timeout(120)
async def test_a_generated_client_sends_and_reads(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-18"""
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(document()))
    code, said = await run(
        sys.executable, "-m", "openapi_python_client", "generate", "--path", described, "--meta", "none",
        "--output-path", tmp_path / "made_client", "--fail-on-warning", cwd=tmp_path,
    )  # fmt: skip
    assert code == 0, said
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module("made_client")
    models = importlib.import_module("made_client.models")
    send = importlib.import_module("made_client.api.default.post_mensajes")
    read = importlib.import_module("made_client.api.default.get_conversaciones_con_mensajes")
    async with made.AuthenticatedClient(base_url=api.url, token=api.key) as client:
        stored = await send.asyncio(client=client, body=models.NewMessage(para="ana", mensaje="made"))
        page = await read.asyncio(client=client, con="ana")
        refused = await send.asyncio(client=client, body=models.NewMessage(para="", mensaje="x"))
    assert [(each.id, each.mensaje) for each in page.mensajes] == [(stored.id, "made")]
    assert (refused.status, refused.code) == (422, "para_invalid")
