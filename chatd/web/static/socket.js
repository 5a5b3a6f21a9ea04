// The connection of the pages: the real socket.io-client, plus one connection state, refusals as errors, and a check
// whether the connection is dead.
//
// The client is npm's bundle, byte for byte; a test compares it with the version that the interop tests are pinned to.
// Our own client was 12 KB smaller compressed and spoke WebSocket only. Polling and the upgrade are the hardest parts of
// Engine.IO to get right, and upstream maintains them.

import { io } from "./socket.io.esm.min.js";
import { Place, keep, remembered } from "./kept.js";

const PATIENCE_MS = 10_000;
const PROBE_MS = 4_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;
const TRIES = 4;
const BUSY_MS = 1_000;
const BUSY = new Set(["rate_limited", "history_busy", "store_busy", "store_unavailable"]);

// WebSocket first takes one round trip. Where it fails the next attempt begins with polling, which tries to upgrade
// to WebSocket by itself: a proxy may refuse WebSocket, or take the request and never answer it.
const Way = Object.freeze({
  DIRECT: { transports: ["websocket"], timeoutMs: 5_000 },
  POLLING: { transports: ["polling", "websocket"], timeoutMs: 20_000 },
});
const KEPT_AS = "chatd.polling";

// Refusals that a login ends, perhaps in another tab: try again when the reader comes back to the page.
export const UNTIL_LOGIN = new Set(["token_missing", "token_expired"]);

/** The server refused. `code` is for programs, `message` for people. */
export class RefusedError extends Error {
  constructor({ code = "unknown", message = "" } = {}) {
    super(message);
    this.code = code;
  }
}

/** No acknowledgement: no connection, a lost connection, or a timeout. */
export class UnansweredError extends Error {}

/** States of the connection. REFUSED and STOPPED last until `start` is called; REFUSED also until a login (UNTIL_LOGIN). */
export const State = Object.freeze({
  CONNECTING: "connecting",
  ONLINE: "online",
  WAITING: "waiting",
  REFUSED: "refused",
  STOPPED: "stopped",
});

export class ChatSocket {
  #client;
  #way;
  #stateHandlers = [];
  #retryTimer = 0;

  constructor(path) {
    this.#client = io({
      path,
      addTrailingSlash: path.endsWith("/"),
      autoConnect: false,
      forceNew: true,
      reconnectionDelay: FIRST_DELAY_MS,
      reconnectionDelayMax: LONGEST_DELAY_MS,
    });
    this.#use(remembered(Place.TAB, KEPT_AS, false) ? Way.POLLING : Way.DIRECT);
    this.state = State.STOPPED;
    this.refusal = null;
    this.#listenToClient();
    this.#listenToWindow();
  }

  /** Call `handler` with the first argument of each `event`; "state" is local: the new State. */
  on(event, handler) {
    if (event === "state") this.#stateHandlers.push(handler);
    else this.#client.on(event, (data) => handler(data));
    return this;
  }

  get online() {
    return this.state === State.ONLINE;
  }

  start() {
    if (this.state === State.REFUSED || this.state === State.STOPPED) this.#open();
  }

  stop() {
    this.#close(State.STOPPED);
  }

  /** Send an event and wait for its acknowledgement. Throws RefusedError and UnansweredError. */
  async ask(event, data = {}) {
    if (!this.online) throw new UnansweredError("there is no connection");
    const answer = await new Promise((resolve, reject) => {
      this.#client.timeout(PATIENCE_MS).emit(event, data, (error, given) => {
        if (!error) return resolve(given);
        if (this.online) this.#probe();
        reject(new UnansweredError(error.message));
      });
    });
    if (answer?.ok === false) throw new RefusedError(answer.error);
    return answer;
  }

  /** As `ask`, but resolves to null instead of throwing those errors; `onRefused` gets the code of a refusal. */
  async askOrNull(event, data, onRefused = () => {}) {
    try {
      return await this.ask(event, data);
    } catch (error) {
      if (error instanceof RefusedError) onRefused(error.code);
      else if (!(error instanceof UnansweredError)) throw error;
      return null;
    }
  }

  /** As `askOrNull`, but asks again while the server is busy. Without an answer the next connection asks again. */
  async askPatiently(event, data, onRefused = () => {}) {
    for (let tries = 0; tries < TRIES; tries++) {
      let refused = null;
      const answer = await this.askOrNull(event, data, (code) => (refused = code));
      if (refused !== null) onRefused(refused);
      if (!BUSY.has(refused)) return answer;
      await new Promise((again) => setTimeout(again, BUSY_MS));
    }
    return null;
  }

  /** Send an event without acknowledgement; dropped while there is no connection. */
  tell(event, data = {}) {
    if (this.online) this.#client.emit(event, data);
  }

  // Internals.

  #listenToClient() {
    const { io: manager } = this.#client;
    this.#client.on("connect", () => this.#onJoined());
    this.#client.on("disconnect", (reason) => this.#onLost(reason));
    this.#client.on("connect_error", (error) => (this.#client.active ? this.#onUnreachable() : this.#onRefused(error)));
    manager.on("reconnect_attempt", () => this.#become(State.CONNECTING));
    manager.on("open", () => manager.engine.on("upgrade", () => this.#use(Way.DIRECT)));
  }

  #listenToWindow() {
    window.addEventListener("online", () => this.#reconnectNow());
    window.addEventListener("focus", () => this.#reconnectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#reconnectNow());
    // A page in the back/forward cache may keep its connection open: the server would count the user as online.
    window.addEventListener("pagehide", ({ persisted }) => persisted && this.#isUp && this.#close(State.WAITING));
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#reconnectNow());
  }

  get #isUp() {
    return this.state === State.ONLINE || this.state === State.CONNECTING;
  }

  #open() {
    clearTimeout(this.#retryTimer);
    this.#become(State.CONNECTING);
    this.#client.disconnect(); // cancels the client's reconnection timer
    this.#client.connect();
  }

  #close(state) {
    clearTimeout(this.#retryTimer);
    this.#become(state);
    this.#client.disconnect();
  }

  #use(way) {
    this.#way = way;
    this.#client.io.opts.transports = way.transports;
    this.#client.io.timeout(way.timeoutMs);
    keep(Place.TAB, KEPT_AS, way === Way.POLLING || null);
  }

  #onJoined() {
    this.refusal = null;
    this.#become(State.ONLINE);
  }

  #onLost(reason) {
    if (reason === "io client disconnect") return; // #open or #close
    this.#become(reason === "io server disconnect" ? State.REFUSED : State.WAITING); // S-25
  }

  /** The client reconnects by itself; use the other transport order for its next attempt. */
  #onUnreachable() {
    this.#use(this.#way === Way.DIRECT ? Way.POLLING : Way.DIRECT);
    this.#become(State.WAITING);
  }

  #onRefused({ message, data }) {
    this.refusal = new RefusedError({ code: data?.code, message });
    const isFull = this.refusal.code === "too_many_connections";
    this.#become(isFull ? State.WAITING : State.REFUSED); // C-04: the same token will not do
    if (isFull) this.#retryTimer = setTimeout(() => this.#open(), LONGEST_DELAY_MS * (0.5 + Math.random()));
  }

  /** Reconnect now, without waiting for the timer: the network or the reader came back. */
  #reconnectNow() {
    const mayHaveLoggedIn = this.state === State.REFUSED && UNTIL_LOGIN.has(this.refusal?.code);
    if (mayHaveLoggedIn || this.state === State.WAITING) this.#open();
  }

  /** After a timeout: send a small request, and close the connection if no packet at all arrives within PROBE_MS. */
  #probe() {
    const { engine } = this.#client.io;
    const dead = setTimeout(() => engine.close(), PROBE_MS);
    engine.once("packet", () => clearTimeout(dead));
    this.#client.emit("quien_soy", {}, () => {});
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    for (const handler of this.#stateHandlers) handler(state);
  }
}
