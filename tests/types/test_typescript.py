"""The types for front ends: equal to protocol.md, and checked with the TypeScript compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from chatd.chat.config import ChatConfig
from tests.chat.rig import Rig
from tests.cli.command import chatd
from tests.types.events import PAGE, read
from tests.types.shapes import ShapeError, parse
from tests.types.typescript import FILE, declaration

NODE_MODULES = PAGE.parent / "tests" / "interop" / "node_modules"

GOOD = """
import { io, type Socket } from "socket.io-client-4.8";
import type { Answer, ClientToServerEvents, ServerToClientEvents } from "./chatd";

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("http://localhost:8400");

socket.on("mensaje_recibido", ({ de, mensaje, id }, position) => {
  const text: string = de + mensaje + (id ?? position ?? "");
  console.log(text);
});
socket.on("leido", (mark) => console.log("de" in mark ? mark.de : mark.con, mark.hasta));
socket.on("presencia", ({ user, en_linea, visto }) => console.log(user, en_linea ? "" : visto?.toFixed()));

export async function talk(): Promise<string> {
  const answer = await socket.timeout(5000).emitWithAck("mensaje_privado", { para: "admin", mensaje: "hola" });
  if (!answer.ok) return answer.error.code;
  const history = await socket.emitWithAck("historial", { con: "admin", limite: 10 });
  const dates: number[] = history.ok ? history.mensajes.map((one) => one.fecha) : [];
  const list = await socket.emitWithAck("conversaciones", undefined);
  const last: string[] = list.ok ? list.conversaciones.map((one) => one.ultimo.mensaje) : [];
  const unread: Answer<{ no_leidos: Record<string, number> }> = await socket.emitWithAck("no_leidos", {});
  socket.emit("escribiendo", { para: "admin", activo: true });
  return answer.id + dates.length + last.length + unread.ok;
}
"""

WRONG = """
import { io, type Socket } from "socket.io-client-4.8";
import type { ClientToServerEvents, ServerToClientEvents } from "./chatd";

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project set up by `chatd types --help`."""
    (tmp_path / "chatd.d.ts").write_text(chatd("types").stdout)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    return tmp_path


def compiled(project: Path, code: str) -> str:
    """The output of tsc."""
    node = shutil.which("node")
    assert node is not None
    (project / "app.ts").write_text(code)
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext")
    done = subprocess.run(
        [node, NODE_MODULES / "typescript" / "bin" / "tsc", *options, "app.ts"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_the_file_is_made_from_protocol_md() -> None:
    """C-85"""
    assert FILE.read_text() == declaration(read(PAGE.read_text())), "run: make reference"
    assert chatd("types").stdout == FILE.read_text()


def test_every_event_that_the_daemon_knows_has_its_types() -> None:
    """C-85"""
    events = [set(feature.events) for feature in Rig(ChatConfig(presence="on")).chat.features()]
    assert set().union(*events) <= {event.name for event in read(PAGE.read_text()).events if event.of_client}


@pytest.mark.timeout(120)
def test_the_compiler_accepts_correct_code(project: Path) -> None:
    """C-85"""
    assert compiled(project, GOOD) == ""


@pytest.mark.timeout(120)
def test_the_compiler_rejects_wrong_code(project: Path) -> None:
    """C-85"""
    wrong = (
        'socket.emit("mensaje_pirvado", { para: "a", mensaje: "b" });',
        'socket.emitWithAck("mensaje_privado", { para: "a" });',
        'socket.emitWithAck("historial", { limite: "10" });',
        'socket.on("mensaje_recibido", ({ texto }) => texto);',
        'socket.on("presencia", ({ visto }) => visto.toFixed());',
        'socket.emitWithAck("mensaje_privado", { para: "a", mensaje: "b" }).then((answer) => answer.id);',
    )
    lines = WRONG.splitlines()
    said = compiled(project, WRONG + "\n".join(wrong))
    assert {
        int(line.partition("(")[2].partition(",")[0]) for line in said.splitlines() if line.startswith("app.ts(")
    } == {len(lines) + number for number in range(1, len(wrong) + 1)}


@pytest.mark.parametrize("text", ["para", "{para", "{para mensaje}", "{list: [de]}"])
def test_a_shape_in_another_notation_is_reported(text: str) -> None:
    with pytest.raises(ShapeError):
        parse(text)
