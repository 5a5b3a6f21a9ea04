from __future__ import annotations

from pathlib import Path

import pytest

from chatd.settings.credentials import are_credentials, handed_over

SYSTEMD = {"CREDENTIALS_DIRECTORY": "/run/credentials/chatd.service"}
HANDED = Path("/run/credentials/chatd.service/jwt-secret")


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        ([HANDED, None], SYSTEMD, True),
        ([Path(f"2026={HANDED}")], SYSTEMD, True),
        ([HANDED, Path("/etc/chatd/deny")], SYSTEMD, False),
        ([HANDED], {}, False),
        ([HANDED], {"CREDENTIALS_DIRECTORY": ""}, False),
        ([None], SYSTEMD, False),
        ([], SYSTEMD, False),
    ],
)
def test_files_are_credentials_if_systemd_provides_all_of_them(
    files: list[Path | None], environ: dict[str, str], expected: bool
) -> None:
    assert are_credentials(files, environ) is expected


def test_the_credential_is_read_if_present_and_else_the_file(tmp_path: Path) -> None:
    file = Path("/etc/chatd/whsec")
    (tmp_path / "webhook-crm").touch()
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert handed_over("webhook-crm", file, environ) == tmp_path / "webhook-crm"
    assert handed_over("webhook-shop", file, environ) == file
    assert (
        handed_over("webhook-crm", file, {}) == handed_over("webhook-crm", file, {"CREDENTIALS_DIRECTORY": ""}) == file
    )
