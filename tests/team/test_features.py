"""A team of admins: which messages each admin sees; and no team features without the setting."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import Config, load
from chatd.daemon.live import take_over
from tests.chat.people import chatting
from tests.store.rig import Base
from tests.team.people import SETTINGS, Team, heard, team_chat


async def test_all_admins_see_messages_from_an_admin_to_a_user(team: Team) -> None:
    """D-01"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    await root.emit("escribiendo", {"para": "ana", "activo": True})
    stored = await root.write("ana", "dime")
    expected = [{"de": "root", "mensaje": "dime", "id": stored["id"], "para": "ana", "fecha": stored["fecha"]}]
    for person in (root, boss, ana):
        assert await heard(person, "mensaje_recibido") == expected
    await root.emit("escribiendo", {"para": "ana", "activo": True})
    await root.inbox()
    assert await heard(boss, "escribiendo") == [{"de": "root", "para": "ana", "activo": True}]
    page = await boss.ask("historial", {"con": "ana"})
    assert [message["mensaje"] for message in page["mensajes"]] == ["dime"]


async def test_messages_between_two_admins_stay_private(base: Base) -> None:
    """D-01: to an admin online, and to one who was online before a restart."""
    async with team_chat(base) as before:
        await before.admin("boss")
        root, aide = await before.admin("root"), await before.admin("aide")
        await root.write("boss", "lunch?")
        assert await heard(aide, "mensaje_recibido") == []
    async with team_chat(base) as team:
        root, aide = await team.admin("root"), await team.admin("aide")
        await root.ask("conversaciones")
        await root.write("boss", "dinner?")
        assert await heard(aide, "mensaje_recibido") == []
        assert (await aide.ask("historial", {"con": "boss"}))["mensajes"] == []


async def test_messages_that_were_private_before_the_team_stay_private(base: Base) -> None:
    """D-01"""
    async with chatting(base, admin_messages="direct") as chat:
        root, ana = await chat.enter("root", "admin"), await chat.enter("ana")
        await ana.write("soporte", "¿hola?")
        await root.write("ana", "a secret")
    async with team_chat(base) as team:
        boss = await team.admin("boss")
        [entry] = (await boss.ask("conversaciones"))["conversaciones"]
        assert entry["ultimo"]["mensaje"] == "¿hola?"
        page = await boss.ask("historial", {"con": "ana"})
        assert [message["mensaje"] for message in page["mensajes"]] == ["¿hola?"]


async def test_a_reconnected_admin_gets_messages_of_colleagues(team: Team) -> None:
    """D-01"""
    root, ana = await team.admin("root"), await team.user("ana")
    first = await ana.write("soporte", "¿hola?")
    stored = await root.write("ana", "dime")
    boss = await team.admin("boss", auth={"desde": first["id"]})
    assert [message["id"] for message in await heard(boss, "mensaje_recibido")] == [stored["id"]]


@pytest.mark.parametrize(("setting", "value"), [("payload", "brief"), ("presence", "off")])
def test_a_team_without_required_settings_is_refused_at_the_start(setting: str, value: str) -> None:
    """D-02"""
    with pytest.raises(ConfigError, match=f"admin_messages: a team needs {setting} = "):
        load({**SETTINGS, setting: value}, {})


@pytest.mark.parametrize(("running", "read"), [({}, SETTINGS), (SETTINGS, {"payload": "full"})])
def test_a_team_is_switched_on_and_off_by_a_restart(running: dict[str, str], read: dict[str, str]) -> None:
    """D-02"""
    before = load(running, {})
    assert take_over(before, load(read, {})).chat == before.chat
    assert take_over(Config(), load({"admin_messages": "all"}, {})).chat.admin_messages == "all"


async def test_without_a_team_its_events_and_fields_do_not_exist(base: Base) -> None:
    """D-01: old clients see no difference."""
    async with chatting(base) as chat:
        root, ana = await chat.enter("root", "admin"), await chat.enter("ana")
        await ana.write("soporte", "¿hola?")
        for event in ("atender", "soltar", "resolver", "nota", "notas", "respuesta", "respuestas"):
            assert (await root.ask(event, {"con": "ana"}))["error"]["code"] == "unknown_event"
        [entry] = (await root.ask("conversaciones", {"filtro": "mias"}))["conversaciones"]
        assert entry.keys() == {"con", "ultimo", "no_leidos"}
        assert (await root.ask("conversacion", {"con": "ana"})).keys() == {"ok", "leido", "leido_por"}


def test_without_a_team_nothing_of_it_is_imported() -> None:
    """D-01"""
    probe = (
        "import sys, chatd.daemon.app; "
        "print(sorted(name for name in sys.modules if name.startswith('chatd.team') or name == 'chatd.store.team'))"
    )
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout == "['chatd.team', 'chatd.team.config']\n"


async def test_the_number_of_pending_events_of_one_admin_is_limited(team: Team) -> None:
    """D-03"""
    root, ana = await team.admin("root"), await team.user("ana")
    assert (await ana.ask("atender", {"con": "ana"}))["error"]["code"] == "admins_only"
    asked = [await root.begin("nota", {"con": "ana", "texto": f"note {number}"}) for number in range(200)]
    answers = [await root.answer(number) for number in asked]
    codes = {answer["error"]["code"] for answer in answers if not answer["ok"]}
    assert codes <= {"store_busy"}
    page = await root.ask("notas", {"con": "ana", "limite": 100})
    assert len(page["notas"]) == min(100, sum(answer["ok"] for answer in answers))
