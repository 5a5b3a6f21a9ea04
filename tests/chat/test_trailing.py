"""A client with a pid takes a trailing string for an offset: only messages and `al_dia` may end in a string."""

from __future__ import annotations

from pathlib import Path

from tests.chat.people import Person, chatting


async def heard(person: Person, *last: str) -> set[str]:
    """The names of all events until each of `last` has arrived; other events must end in an object."""
    names: set[str] = set()
    while not names.issuperset(last):
        name, *arguments = await person.hear()
        names.add(name)
        assert isinstance(arguments[-1], str if name in ("mensaje_recibido", "al_dia") else dict), name
    return names


async def test_every_other_event_ends_in_an_object(db: Path) -> None:
    """C-28, C-42, C-44, C-50, C-52"""
    async with chatting(db, recovery="on", presence="on", echo="on", payload="full") as chat:
        root = await chat.enter("root", "admin")
        ana, tab = await chat.enter("ana"), await chat.enter("ana")
        await ana.emit("escribiendo", {"para": "root", "activo": True})
        await ana.emit("mensaje_privado", {"para": "root"})
        stored = await ana.write("root", "hola")
        await root.ask("leido", {"con": "ana", "hasta": stored["id"]})
        assert "mensaje_recibido" in await heard(root, "al_dia", "presencia", "escribiendo", "mensaje_recibido")
        await heard(ana, "al_dia", "mensaje_error", "leido")
        assert "mensaje_recibido" not in await heard(tab, "al_dia", "mensaje_enviado", "leido")
