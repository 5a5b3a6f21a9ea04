"""pid.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.recovery.pid import Pids

PIDS = Pids(b"k" * 32)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(NAMES)
def test_a_pid_is_valid_for_its_user(user: str) -> None:
    """C-29"""
    assert PIDS.verify(PIDS.mint("abc", user), user) == "abc"
    assert PIDS.mint("abc", user) == Pids(b"k" * 32).mint("abc", user)


@given(NAMES, NAMES)
def test_a_pid_is_invalid_for_other_users(user: str, other: str) -> None:
    """C-32"""
    assert PIDS.verify(PIDS.mint("abc", user), other) == ("abc" if user == other else None)
    assert Pids(b"l" * 32).verify(PIDS.mint("abc", user), user) is None


@given(st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_any_other_value_is_no_pid(value: object) -> None:
    """C-32"""
    assert PIDS.verify(value, "ana") is None


@given(st.integers(0), st.text(min_size=1, max_size=3))
def test_a_changed_pid_is_invalid(place: int, other: str) -> None:
    """C-32"""
    pid = PIDS.mint("abc", "ana")
    place %= len(pid)
    changed = pid[:place] + other + pid[place + 1 :]
    assert changed == pid or PIDS.verify(changed, "ana") is None
    assert PIDS.verify(pid + other, "ana") is None
    assert PIDS.verify(pid[:place], "ana") is None
