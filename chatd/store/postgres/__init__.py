"""Messages in a PostgreSQL database, through asyncpg. Imported only when `db` is a URL. Rules P-01 to P-10."""
