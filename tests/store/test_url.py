from __future__ import annotations

import pytest

from chatd.base.errors import ConfigError
from chatd.store.config import StoreConfig
from chatd.store.url import is_postgres


@pytest.mark.parametrize("db", ["postgresql://chatd@db/chat", "postgres://db/chat", "postgresql:///chat?host=/run/x"])
def test_a_postgresql_url_is_recognised(db: str) -> None:
    """P-01"""
    assert is_postgres(db)
    assert StoreConfig(db=db).db == db


@pytest.mark.parametrize("db", ["chatd.db", "/var/lib/postgresql", "postgresql", "C:postgres://"])
def test_everything_else_is_a_file(db: str) -> None:
    assert not is_postgres(db)


@pytest.mark.parametrize(
    "db",
    [
        "postgresql://chatd:x@db/chat",
        "postgresql://chatd:@db/chat",
        "postgres://a:x@b:1,c:2/d",
        "postgres://b/d?password=x",
    ],
)
def test_a_password_in_it_is_refused(db: str) -> None:
    """P-03"""
    with pytest.raises(ConfigError, match="--db-password-file"):
        StoreConfig(db=db)


@pytest.mark.parametrize(
    "db", ["postgresql://chatd@one,two/chat", "postgres://one:1,two:2/chat", "postgresql:///chat?host=one,two"]
)
def test_several_hosts_are_refused(db: str) -> None:
    """P-02"""
    with pytest.raises(ConfigError, match="several hosts"):
        StoreConfig(db=db)


@pytest.mark.parametrize("db", ["postgresql://chatd@[::1/chat", "postgresql://[nonsense]/chat"])
def test_an_incomplete_url_is_refused(db: str) -> None:
    """P-02"""
    with pytest.raises(ConfigError, match="brackets"):
        StoreConfig(db=db)


def test_a_comma_elsewhere_is_no_list_of_hosts() -> None:
    """P-02"""
    db = "postgresql://a,b@one/chat?options=-c%20search_path=a,b"
    assert StoreConfig(db=db).db == db
