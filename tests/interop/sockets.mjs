// Runs a test's commands on a socket.io-client, in any runtime: this file imports nothing, so that browsers run it too.
//
// Each event of a socket is a line {socket, on, args}: `on` is the name of an event from the server, or, with a leading
// colon, of an event of the client itself. `ack` is present if the server waits for an acknowledgement: the command
// `answer` sends it.

// `client` is the module of the client; `pack` and `unpack` are those of values.mjs.
export function orders(client, { write, pack, unpack }) {
  const sockets = new Map();
  const pendingAnswers = [];

  // A transport whose name begins with a capital is a class that the client exports.
  function withClasses(options) {
    const transports = options.transports?.map((name) => (/^[A-Z]/.test(name) ? client[name] : name));
    return transports ? { ...options, transports } : options;
  }

  // Events of the socket and its manager themselves.
  function watch(name, socket) {
    const report = (on, args) => write({ socket: name, on: `:${on}`, args });
    const transport = () => socket.io.engine.transport.name;

    socket.on("connect", () => report("connect", [{ id: socket.id, transport: transport(), recovered: Boolean(socket.recovered) }]));
    socket.on("disconnect", (reason) => report("disconnect", [reason]));
    socket.on("connect_error", (error) => report("connect_error", [{ message: error.message, data: error.data ?? null }]));
    socket.io.on("reconnect", () => report("reconnect", []));
    const watchEngine = () =>
      socket.io.engine
        .on("upgrade", () => report("upgrade", [transport()]))
        .on("packet", (packet) => packet.type === "ping" && report("ping", []));
    watchEngine();
    socket.io.on("reconnect_attempt", () => queueMicrotask(watchEngine)); // each attempt creates a new engine
  }

  function listen(name, socket) {
    socket.onAny((event, ...args) => {
      const line = { socket: name, on: event };
      if (typeof args.at(-1) === "function") line.ack = pendingAnswers.push(args.pop()) - 1;
      write({ ...line, args: args.map(pack) });
    });
  }

  function enter(name, socket) {
    sockets.set(name, socket);
    watch(name, socket);
    listen(name, socket);
  }

  return {
    open({ socket: name, url, options }) {
      enter(name, client.io(url, withClasses(options)));
    },
    beside({ socket: name, other, namespace, options }) {
      enter(name, sockets.get(other).io.socket(namespace, options));
    },
    emit({ socket, event, args }) {
      sockets.get(socket).emit(event, ...args.map(unpack));
    },
    ask({ socket, event, args }) {
      return new Promise((resolve) => sockets.get(socket).emit(event, ...args.map(unpack), (...got) => resolve(got.map(pack))));
    },
    answer({ ack, args }) {
      pendingAnswers[ack](...args.map(unpack));
    },
    close({ socket }) {
      sockets.get(socket).disconnect();
    },
    connect({ socket }) {
      sockets.get(socket).connect();
    },
    transport({ socket }) {
      return sockets.get(socket).io.engine.transport.name;
    },
    sid({ socket }) {
      return sockets.get(socket).io.engine.id;
    },
    forget() {
      for (const socket of sockets.values()) socket.disconnect();
      sockets.clear();
    },
  };
}
