from __future__ import annotations

import io

from chatd.cli.progress import Progress


class Terminal(io.StringIO):
    """A stream whose isatty() is true."""

    def isatty(self) -> bool:
        return True


def drawn(stream: io.StringIO, *shares: float) -> str:
    with Progress("copying", stream) as bar:
        for share in shares:
            bar._next_s = 0.0
            bar.show(share)
    return stream.getvalue()


def test_a_bar_overwrites_itself_and_is_erased_at_the_end() -> None:
    text = drawn(Terminal(), 0.0, 0.5, 7.0)
    assert [line for line in text.split("\r\033[K") if line] == [
        "copying [..............................]   0%",
        "copying [###############...............]  50%",
        "copying [##############################] 100%",
    ]
    assert text.endswith("\r\033[K")


def test_nothing_is_drawn_for_short_work() -> None:
    stream = Terminal()
    with Progress("copying", stream) as bar:
        bar.show(0.5)
    assert stream.getvalue() == ""


def test_without_a_terminal_a_line_is_written_from_time_to_time() -> None:
    stream = io.StringIO()
    with Progress("deleting", stream, line_every_s=0.0) as bar:
        bar.show(0.25)
        bar.show(1.0)
    assert stream.getvalue() == "deleting: 25%\ndeleting: 100%\n"
    with Progress("deleting", quiet := io.StringIO()) as bar:
        bar.show(0.5)
    assert quiet.getvalue() == ""
