// Reads a test's commands: JSON lines on stdin, each with an `id`; each is answered by one line {id, ok} or {id, error}.
// Commands run concurrently. The first line, {id: 0, ok}, says that the program is ready.

import { createInterface } from "node:readline";

export const write = (line) => process.stdout.write(JSON.stringify(line) + "\n");

export async function obey(orders, ready) {
  write({ id: 0, ok: ready });
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    Promise.resolve()
      .then(() => orders[order.do](order))
      .then((ok) => write({ id: order.id, ok: ok ?? null }))
      .catch((error) => write({ id: order.id, error: String(error.stack) }));
  }
  process.exit(0);
}
