"""Where messages are kept: the interface (base), SQLite behind it (sqlite), and the writer between them."""
