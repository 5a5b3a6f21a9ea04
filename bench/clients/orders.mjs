// Orders of bench/script.py: JSON lines on stdin, one at a time, each answered by one line {ok} or {error}. The first
// line says that the script is ready.

import { createInterface } from "node:readline";

const write = (line) => process.stdout.write(JSON.stringify(line) + "\n");

export async function obey(orders) {
  write({ ok: process.version });
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    try {
      write({ ok: (await orders[order.do](order)) ?? null });
    } catch (error) {
      write({ error: String(error.stack) });
    }
  }
  process.exit(0);
}
