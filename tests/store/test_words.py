"""Splitting texts into words, and folding of case, accents and marks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.store.words import MAX_WORD_CHARS, fold, indexed, words_of


def test_case_accents_and_marks_do_not_count() -> None:
    """C-89"""
    assert words_of("¿Dónde está el PEDIDO, n.º 7? pedido_roto") == [
        "donde",
        "esta",
        "el",
        "pedido",
        "n",
        "o",
        "7",
        "roto",
    ]
    assert fold("José") == fold("JOSE\u0301") == "jose"


@given(st.text())
def test_words_are_letters_and_digits_only_and_folding_is_idempotent(text: str) -> None:
    """C-89: so they need no quoting in any database."""
    words = words_of(text)
    assert all(word.isalnum() and 0 < len(word) <= MAX_WORD_CHARS for word in words)
    assert words_of(" ".join(words)) == words


def test_no_word_equals_an_indexed_name() -> None:
    """C-90"""
    names = set(indexed("ana", "root", "").split())
    assert len(names) == 2
    assert not names & set(words_of(" ".join(names)))
