// The chat rules of chatd for a Socket.IO server in JavaScript, in the style of its documentation.
// The acknowledgement is sent when the message was emitted, or stored if there is a store.
import jwt from "jsonwebtoken";

/** Common settings of all peers; the ping interval is long while throughput is measured. */
export function settings() {
  const { PORT, JWT_SECRET, PING_INTERVAL_MS } = process.env;
  return { port: Number(PORT), secret: JWT_SECRET, pingInterval: Number(PING_INTERVAL_MS ?? 25000) };
}

function cookie(header, name) {
  for (const pair of (header ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

let last = 0;
const forget = () => ++last;

/** Installs identity, rooms and routing on a Socket.IO server. `store` stores a message and returns its id. */
export function install(io, secret, store = forget) {
  io.use((socket, next) => {
    try {
      const claims = jwt.verify(cookie(socket.handshake.headers.cookie, "token"), secret, { algorithms: ["HS256"] });
      socket.data.user = claims.user;
      socket.data.rol = claims.rol;
      next();
    } catch {
      next(new Error("unauthorized"));
    }
  });

  io.on("connection", (socket) => {
    const { user, rol } = socket.data;
    socket.join(`user:${user}`);
    if (rol === "admin") socket.join("admins");

    socket.on("mensaje_privado", (body, acknowledge) => {
      const { para, mensaje } = body ?? {};
      if (typeof para !== "string" || typeof mensaje !== "string" || para === "" || mensaje === "") {
        acknowledge?.({ ok: false, error: { code: "bad_request", message: "mensaje_privado takes {para, mensaje}" } });
        return;
      }
      const rooms = rol === "admin" ? [`user:${para}`] : [`user:${para}`, "admins"];
      io.to(rooms).emit("mensaje_recibido", { de: user, mensaje });
      const id = store(user, para, mensaje);
      acknowledge?.({ ok: true, id: String(id), fecha: new Date().toISOString() });
    });
  });
}
