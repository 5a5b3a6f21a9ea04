// The adapters for several nodes of a Socket.IO server, over Redis, made as in their documentation.
import { createAdapter as createRedisAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";

// During an outage of Redis, the adapters leave rejections unhandled, which would end the process.
process.on("unhandledRejection", () => {});

async function connected(url) {
  const client = createClient({ url });
  client.on("error", () => {}); // without a listener, an outage of Redis would end the process
  await client.connect();
  return client;
}

export const ADAPTERS = {
  redis: async (url) => createRedisAdapter(await connected(url), await connected(url)),
  streams: async (url) => createStreamsAdapter(await connected(url)),
};
