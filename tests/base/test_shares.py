from __future__ import annotations

from chatd.base.shares import Shares


def test_one_user_has_at_most_its_share_of_the_queue() -> None:
    shares: Shares[str] = Shares(total=10, each=4)
    assert [shares.take("mallory") for _ in range(6)] == [True] * 4 + [False] * 2
    assert [shares.take("ana") for _ in range(4)] == [True] * 4
    shares.give_back("mallory", 3)
    assert [shares.take("mallory") for _ in range(4)] == [True] * 3 + [False]


def test_a_user_without_entries_gets_a_place_in_a_full_queue() -> None:
    shares: Shares[str] = Shares(total=3, each=3)
    assert shares.take("mallory", 3)
    assert [shares.take(f"u{number}") for number in range(100)] == [True] * 100
    assert not shares.take("u0")
    assert shares.taken == 103


def test_the_first_entry_is_accepted_whatever_its_size() -> None:
    shares: Shares[str] = Shares(total=100, each=10)
    assert shares.take("ana", 1_000)
    assert not shares.take("ana", 1)


def test_a_user_without_entries_is_deleted() -> None:
    shares: Shares[str] = Shares(total=10, each=4)
    for user in ("ana", "eva", "ana"):
        assert shares.take(user)
    for user in ("ana", "eva", "ana"):
        shares.give_back(user)
    assert (len(shares), shares.taken) == (0, 0)
