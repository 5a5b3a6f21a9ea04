from __future__ import annotations

import pytest

from chatd.web.page import is_known


@pytest.mark.parametrize(
    "header", ['"abc"', 'W/"abc"', '"x", "abc"', '"x" , W/"abc"', "*", '"a,b", "abc"', '"abc","x"', ' "abc"']
)
def test_a_browser_that_has_this_version_says_so(header: str) -> None:
    assert is_known(header, '"abc"')


@pytest.mark.parametrize("header", [None, "", "abc", '"abcd"', '"ab"', 'W/"ABC"', '"x, abc"', '"', "W/"])
def test_any_other_header_is_about_another_version(header: str | None) -> None:
    assert not is_known(header, '"abc"')
