// Messages in SQLite, in the style of its documentation: one INSERT for each, on disk when it returns.
import Database from "better-sqlite3";

/** The store for `install`; the settings are chatd's. */
export function open(path) {
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE IF NOT EXISTS mensajes (id INTEGER PRIMARY KEY, de TEXT, para TEXT, mensaje TEXT, fecha INTEGER)");
  const insert = db.prepare("INSERT INTO mensajes (de, para, mensaje, fecha) VALUES (?, ?, ?, ?)");
  return (de, para, mensaje) => insert.run(de, para, mensaje, Date.now()).lastInsertRowid;
}
