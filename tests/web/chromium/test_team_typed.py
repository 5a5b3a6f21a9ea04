"""What an admin of a team has typed is not lost: notes, canned replies, messages that begin with a slash."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place
from tests.web.chromium.test_team import TEAM
from tests.web.chromium.window import Window, with_socket

VALUE = "document.querySelector('{}').value"


@pytest.fixture
def flags() -> list[str]:
    return ["--console", "--payload", "full", "--echo", "on", "--recovery", "on", "--presence", "on", *TEAM]


async def asked(place: Place, *users: str) -> Window:
    """An admin, and users who have asked something."""
    admin = await place.admin()
    await place.wrote(*users)
    await admin.see("#list a", "from ", count=len(users))
    return admin


async def test_a_note_stays_in_its_box_while_another_conversation_is_open(place: Place) -> None:
    admin = await asked(place, "ana", "eva")
    await admin.click("#list a", "from ana")
    await admin.click(".notes summary")
    await admin.write(".notes textarea", "pays late")
    await admin.click("#list a", "from eva")
    await admin.see("#thread-name", "Eva")
    await admin.gone(".notes textarea")
    await admin.click("#list a", "from ana")
    await admin.see(".notes textarea")
    assert await admin.evaluate(VALUE.format(".notes textarea")) == "pays late"
    await admin.click(".notes button")
    await admin.see(".note-list li", "pays late")
    await admin.until(f"{VALUE.format('.notes textarea')} === ''")


async def test_a_note_that_is_pressed_twice_is_kept_once(place: Place) -> None:
    """And what was typed while it was stored stays."""
    admin = await asked(place, "ana")
    await admin.click("#list a", "from ana")
    await admin.click(".notes summary")
    await admin.write(".notes textarea", "pays late")
    await admin.evaluate("""(() => {
      const form = document.querySelector(".notes form");
      form.requestSubmit();
      form.requestSubmit();
      form.querySelector("textarea").value = "and more"; })()""")
    await admin.see(".note-list li", "pays late")
    await admin.see(".notes .count", "1")
    assert await admin.evaluate(VALUE.format(".notes textarea")) == "and more"
    await admin.reload()
    await admin.see(".notes .count", "1")


async def edit_replies(admin: Window) -> None:
    await admin.write("#box", "/")
    await admin.press("Enter")
    await admin.see(".canned-editor form")


async def test_a_reply_that_is_being_written_stays_when_a_colleague_changes_one(place: Place) -> None:
    """D-15"""
    root, boss = await asked(place, "ana"), await place.admin("boss")
    await root.click("#list a", "from ana")
    await edit_replies(root)
    await root.write(".canned-editor textarea", "We are open")
    await boss.evaluate(with_socket('return socket.ask("respuesta", { atajo: "bye", texto: "Good bye" });'))
    await root.see(".canned-editor li", "/bye")
    assert await root.evaluate(VALUE.format(".canned-editor textarea")) == "We are open"
    await root.write(".canned-editor input", "hours")
    await root.click(".canned-editor button", "Keep")
    await root.see(".canned-editor li", "/hours")
    await root.until(f"{VALUE.format('.canned-editor textarea')} === ''")


async def test_a_deleted_reply_can_be_kept_again(place: Place) -> None:
    """D-15"""
    root = await asked(place, "ana")
    await root.click("#list a", "from ana")
    await edit_replies(root)
    await root.write(".canned-editor input", "bye")
    await root.write(".canned-editor textarea", "Good bye")
    await root.click(".canned-editor button", "Keep")
    await root.click(".canned-editor li button", "Delete")
    await root.gone(".canned-editor li", "/bye")
    await root.click(".canned-editor button", "Keep")
    await root.see(".canned-editor li", "/byeGood bye")


async def test_a_message_with_a_slash_that_is_no_reply_is_sent(place: Place) -> None:
    """D-15"""
    root = await asked(place, "ana")
    await root.click("#list a", "from ana")
    await root.say("/etc")
    await root.see(".message.mine", "/etc")


async def test_the_filter_and_the_order_survive_a_reload(place: Place) -> None:
    """D-12, D-18"""
    root = await asked(place, "ana", "eva")
    await root.see(".filters button", "Unclaimed 2")
    await root.click(".filters button", "Unclaimed")
    await root.see(".filters [aria-pressed=true]", "Unclaimed")
    await root.click(".filters button", "Longest wait first")
    await root.reload()
    await root.see(".filters [aria-pressed=true]", "Unclaimed")
    await root.see(".filters [aria-pressed=true]", "Longest wait first")
    await root.until(
        "[...document.querySelectorAll('#list .name')].map((one) => one.title).join() === 'Ana · ana,Eva · eva'"
    )


async def test_a_colleague_who_writes_is_shown(place: Place) -> None:
    """D-01"""
    root, boss = await asked(place, "ana"), await place.admin("boss")
    for admin in (root, boss):
        await admin.click("#list a", "from ana")
    await boss.write("#box", "well")
    await root.see("#typing", "Boss is writing…")
