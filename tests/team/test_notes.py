"""Notes for admins only, and the team's canned replies."""

from __future__ import annotations

from chatd.team.replies import MAX_REPLIES
from tests.store.rig import Base
from tests.team.people import Team, heard, team_chat


async def test_a_note_is_seen_by_every_admin_and_by_no_user(team: Team) -> None:
    """D-14"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    noted = [await root.ask("nota", {"con": "ana", "texto": f"note {number}\0"}) for number in range(3)]
    assert [note["texto"] for note in await heard(boss, "nota")] == ["note 0\0", "note 1\0", "note 2\0"]
    assert await heard(ana, "nota", "caso") == []
    page = await boss.ask("notas", {"con": "ana", "limite": 2})
    assert [note["id"] for note in page["notas"]] == [each["id"] for each in noted[1:]]
    assert page["hay_mas"]
    older = await boss.ask("notas", {"con": "ana", "antes": page["notas"][0]["id"]})
    assert [note["texto"] for note in older["notas"]] == ["note 0\0"]
    assert not older["hay_mas"]
    assert (await ana.ask("notas", {"con": "ana"}))["error"]["code"] == "admins_only"
    assert (await ana.ask("historial", {}))["mensajes"] == []


async def test_a_note_has_the_length_limit_of_a_message(base: Base) -> None:
    """D-14"""
    async with team_chat(base, max_message="5") as team:
        root = await team.admin("root")
        assert (await root.ask("nota", {"con": "ana", "texto": "12345"}))["ok"]
        for wrong in ("123456", "", 7, None, "\ud83d"):
            answer = await root.ask("nota", {"con": "ana", "texto": wrong})
            assert answer["error"]["code"] == "texto_invalid"


async def test_replies_are_shared_changed_and_deleted(team: Team) -> None:
    """D-15"""
    root, boss = await team.admin("root"), await team.admin("boss")
    for shortcut, words in (("hours", "9 to 5"), ("bye", "Bye!"), ("hours", "9 to 6")):
        assert (await root.ask("respuesta", {"atajo": shortcut, "texto": words})) == {"ok": True}
    answer = await boss.ask("respuestas")
    assert answer["respuestas"] == [{"atajo": "bye", "texto": "Bye!"}, {"atajo": "hours", "texto": "9 to 6"}]
    assert (await boss.ask("respuestas", {"despues": "bye"}))["respuestas"] == answer["respuestas"][1:]
    await boss.ask("respuesta", {"atajo": "bye", "texto": None})
    assert [each["texto"] for each in await heard(root, "respuesta")] == ["9 to 5", "Bye!", "9 to 6", None]
    assert [each["atajo"] for each in (await root.ask("respuestas"))["respuestas"]] == ["hours"]
    for wrong in ("", "a b", "x" * 33, "/", 5):
        assert (await root.ask("respuesta", {"atajo": wrong, "texto": "x"}))["error"]["code"] == "atajo_invalid"
    assert (await root.ask("respuesta", {"atajo": "x", "texto": "x" * 2_001}))["error"]["code"] == "texto_invalid"


async def test_the_number_of_replies_is_limited(team: Team) -> None:
    """D-15"""
    root = await team.admin("root")
    for number in range(MAX_REPLIES):
        assert (await root.ask("respuesta", {"atajo": f"r{number}", "texto": "x"}))["ok"]
    full = await root.ask("respuesta", {"atajo": "more", "texto": "x"})
    assert full["error"]["code"] == "too_many_replies"
    assert (await root.ask("respuesta", {"atajo": "r0", "texto": "y"}))["ok"]
