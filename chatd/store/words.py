"""Texts as they are searched: without regard to case and accents, as words. Pure. Rules C-89 and D-05."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from .textsql import MIN_PREFIX_CHARS, name_of

MAX_WORD_CHARS: Final = 64
"""Of a word; what is behind them does not count. PostgreSQL takes 2,046 bytes, and a name is in hexadecimal digits."""

MAX_CHARS: Final = 20_000
"""Of a message: its beginning can be found."""

MAX_WORDS: Final = 2_000
"""Different ones of a message that can be found."""

_WORD: Final = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """`text` as it is compared: "José" and "JOSE\\u0301" are the same."""
    letters = text
    for _ in range(2):  # what is taken apart may have a case: a letter in a circle
        letters = unicodedata.normalize("NFKD", letters.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """Its different words, in their order."""
    return list(dict.fromkeys(word[:MAX_WORD_CHARS] for word in _WORD.findall(fold(text))))


def has_words(text: str, sought: Collection[str]) -> bool:
    """Whether `text` has all words that are sought, as the index finds them: long ones by their beginning."""
    words = words_of(text) if sought else []
    return all(
        one in words or (len(one) >= MIN_PREFIX_CHARS and any(word.startswith(one) for word in words)) for one in sought
    )


def indexed(de: str, para: str, mensaje: str) -> str:
    """What the index has of a message: its words and both names, with spaces between them."""
    return " ".join([name_of(de), name_of(para), *words_of(mensaje[:MAX_CHARS])[:MAX_WORDS]])
