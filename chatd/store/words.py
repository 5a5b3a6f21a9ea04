"""Folding (ignoring case and accents) and splitting of texts into words, for searches. Pure. Rules C-89 and D-05."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from .textsql import MIN_PREFIX_CHARS, name_of

MAX_WORD_CHARS: Final = 64
"""Characters of a word that are indexed. PostgreSQL limits a word to 2,046 bytes; names are in hexadecimal digits."""

MAX_CHARS: Final = 20_000
"""Characters at the start of a message that are indexed."""

MAX_WORDS: Final = 2_000
"""Different words of a message that are indexed."""

_WORD: Final = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """`text` without case and accents: "José" and "JOSE\\u0301" become the same."""
    letters = text
    for _ in range(2):  # decomposition may yield capitals, for example from a letter in a circle
        letters = unicodedata.normalize("NFKD", letters.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """The different words of `text`, in their order."""
    return list(dict.fromkeys(word[:MAX_WORD_CHARS] for word in _WORD.findall(fold(text))))


def has_words(text: str, sought: Collection[str]) -> bool:
    """Whether `text` has all words of `sought`, by the rules of the index: long ones match as prefixes."""
    words = words_of(text) if sought else []
    return all(
        one in words or (len(one) >= MIN_PREFIX_CHARS and any(word.startswith(one) for word in words)) for one in sought
    )


def indexed(de: str, para: str, mensaje: str) -> str:
    """The text that is indexed for a message: both names and its words, separated by spaces."""
    return " ".join([name_of(de), name_of(para), *words_of(mensaje[:MAX_CHARS])[:MAX_WORDS]])
