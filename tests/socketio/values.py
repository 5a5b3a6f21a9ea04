"""Hypothesis strategies: JSON values of JavaScript, with or without bytes."""

from __future__ import annotations

from hypothesis import strategies as st

HALF_SURROGATES = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
ATOMS = st.none() | st.booleans() | NUMBERS | st.text()


def nested(atoms: st.SearchStrategy[object], keys: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """Arrays and objects of `atoms`, a few levels deep."""
    return st.recursive(atoms, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


JSON = nested(ATOMS, st.text())
JSON_OF_JAVASCRIPT = nested(
    ATOMS | st.text(st.characters() | HALF_SURROGATES), st.text(st.characters() | HALF_SURROGATES)
)
JSON_WITH_BYTES = nested(ATOMS | st.binary(max_size=20), st.text().filter(lambda key: key != "_placeholder"))

NAMESPACES = st.just("/") | st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"])).map("/".__add__)
PACKET_IDS = st.none() | st.integers(0, 10**15 - 1)
