// Runs one release of the real socket.io-client; a test sends it commands.
//
//   node driver.mjs socket.io-client-4.8
//   deno run -A driver.mjs socket.io-client-4.8 dist/socket.io.esm.min.js    # that file of the package
//
// orders.mjs reads the commands, sockets.mjs runs them, values.mjs encodes values.

import { readFileSync } from "node:fs";

import { obey, write } from "./orders.mjs";
import { orders } from "./sockets.mjs";
import { pack, unpack } from "./values.mjs";

const [name, file] = process.argv.slice(2);
const folder = new URL(`node_modules/${name}/`, import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
const client = await import(file ? new URL(file, folder).href : name);

const runtime = globalThis.Deno
  ? `Deno ${Deno.version.deno}`
  : globalThis.Bun
    ? `Bun ${Bun.version}`
    : `Node.js ${process.versions.node}`;

await obey(orders(client, { write, pack, unpack }), { version, runtime });
