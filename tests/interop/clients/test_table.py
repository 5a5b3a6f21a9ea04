from __future__ import annotations

from tests.interop.clients import results
from tests.interop.clients.results import Result, markdown
from tests.interop.clients.rows import NAMES
from tests.interop.clients.table import with_table
from tests.reference import README


def test_the_readme_has_the_table_of_the_results_file() -> None:
    page = README.read_text(encoding="utf-8")
    assert page == with_table(page), "run: python -m tests.interop.clients.table"


def test_the_results_file_has_every_client_once() -> None:
    assert [result.name for result in results.read()] == list(NAMES), "run: make interop"


def test_a_step_that_passed_for_some_transports_names_them() -> None:
    ran = {"polling": ["auth", "cookie"], "WebSocket": ["auth"], "upgrade": ["auth", "cookie"]}
    row = markdown([Result("x", "some-client", "1.2", "Some 3", ran)]).splitlines()[-1]
    assert row == "| some-client | 1.2 | Some 3 | polling, WebSocket, upgrade | auth, cookie (polling, upgrade) |"
