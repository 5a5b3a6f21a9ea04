// A small Socket.IO client for the pages of chatd: WebSocket, acknowledgements, reconnection, recovery.
// It speaks what protocol.md says to any client; the rules that it follows are named beside the code.

const PATIENCE_MS = 10_000;
const DOUBT_MS = 4_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;

// Refusals that end when somebody logs in, in another tab perhaps: whoever comes back to the page may be let in.
const UNTIL_LOGIN = new Set(["token_missing", "token_expired"]);

/** The server said no. `code` is for programs, `message` for people. */
export class RefusedError extends Error {
  constructor({ code = "unknown", message = "" } = {}) {
    super(message);
    this.code = code;
  }
}

/** Nobody answered: the connection was away, or broke, or the server took too long. */
export class UnansweredError extends Error {}

/** Where a socket is in its life. REFUSED and STOPPED last until somebody calls `start`, or logs in and comes back. */
export const State = Object.freeze({
  CONNECTING: "connecting",
  ONLINE: "online",
  WAITING: "waiting",
  REFUSED: "refused",
  STOPPED: "stopped",
});

export class ChatSocket {
  #url;
  #web = null;
  #handlers = new Map();
  #asked = new Map();
  #lastAsk = 0;
  #lastDoubt = -1;
  #failures = 0;
  #retryTimer = 0;
  #silenceTimer = 0;
  #silenceMs = 45_000;
  #pid = undefined;
  #offset = undefined;

  constructor(path, base = window.location.href) {
    this.#url = new URL(path, base);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#url.search = "?EIO=4&transport=websocket";
    this.state = State.STOPPED;
    this.recovered = false;
    this.refusal = null;
    this.#followTheWindow();
  }

  /** Call `handler` with the first argument of each `event`; "state" is the socket's own. */
  on(event, handler) {
    const handlers = this.#handlers.get(event) ?? [];
    this.#handlers.set(event, [...handlers, handler]);
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
    const number = this.#lastAsk++;
    const answer = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#onSilence(number), PATIENCE_MS);
      this.#asked.set(number, { resolve, reject, timer });
      this.#web.send(`42${number}${JSON.stringify([event, data])}`);
    });
    if (answer?.ok === false) throw new RefusedError(answer.error);
    return answer;
  }

  /** Send an event that nobody misses: it is dropped while there is no connection. */
  tell(event, data = {}) {
    if (this.online) this.#web.send(`42${JSON.stringify([event, data])}`);
  }

  // The inside.

  #followTheWindow() {
    window.addEventListener("online", () => this.#hurry());
    window.addEventListener("offline", () => this.#web && this.#onLost()); // if that is not so, it is back in a moment
    window.addEventListener("focus", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    // A page that may come back by "back" is frozen with its connection open: the server would take it for present.
    window.addEventListener("pagehide", ({ persisted }) => persisted && this.#web && this.#close(State.WAITING));
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#hurry());
  }

  #open() {
    clearTimeout(this.#retryTimer);
    this.#become(State.CONNECTING);
    const web = new WebSocket(this.#url);
    this.#web = web;
    this.#expectWords();
    web.addEventListener("message", ({ data }) => web === this.#web && this.#onPacket(data));
    web.addEventListener("close", () => web === this.#web && this.#onLost());
  }

  #onPacket(packet) {
    this.#expectWords();
    if (packet[0] === "0") this.#onOpen(JSON.parse(packet.slice(1)));
    else if (packet === "2") this.#web.send("3"); // E-21
    else if (packet[0] === "4") this.#onMessage(packet[1], packet.slice(2));
  }

  #onOpen({ pingInterval, pingTimeout }) {
    this.#silenceMs = pingInterval + pingTimeout;
    this.#expectWords();
    const auth = this.#pid === undefined ? "" : JSON.stringify({ pid: this.#pid, offset: this.#offset });
    this.#web.send(`40${auth}`); // S-17
  }

  #onMessage(type, rest) {
    if (type === "0") this.#onJoined(JSON.parse(rest));
    else if (type === "1") this.#close(State.REFUSED); // S-25
    else if (type === "2") this.#onEvent(JSON.parse(rest.replace(/^\d+/, "")));
    else if (type === "3") this.#onAnswer(/^(\d+)(.*)$/s.exec(rest));
    else if (type === "4") this.#onRefused(JSON.parse(rest));
  }

  #onJoined({ pid }) {
    this.recovered = pid !== undefined && pid === this.#pid;
    this.#pid = pid;
    this.#failures = 0;
    this.#become(State.ONLINE);
  }

  #onEvent([event, ...args]) {
    const last = args.at(-1);
    if (this.#pid !== undefined && typeof last === "string") this.#offset = last;
    this.#call(event, args[0]);
  }

  #onAnswer([, number, args]) {
    this.#settle(Number(number))?.resolve(JSON.parse(args)[0]);
  }

  #onRefused({ message, data }) {
    this.refusal = new RefusedError({ code: data?.code, message });
    if (this.refusal.code === "too_many_connections") this.#onLost(); // it may have room later
    else this.#close(State.REFUSED); // C-04: the same token will not do
  }

  #onLost() {
    this.#close(State.WAITING);
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    this.#retryTimer = setTimeout(() => this.#open(), delay * (0.5 + Math.random()));
  }

  /** Whoever waits to try again tries now: the network or the reader came back. */
  #hurry() {
    const mayBeIn = this.state === State.REFUSED && UNTIL_LOGIN.has(this.refusal?.code);
    if (mayBeIn || this.state === State.WAITING) this.#open();
  }

  #close(state) {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    const web = this.#web;
    this.#web = null;
    web?.close();
    for (const number of [...this.#asked.keys()]) this.#settle(number).reject(new UnansweredError("it broke"));
    this.#become(state);
  }

  /** A server that says nothing, not even its pings, is gone. */
  #expectWords() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#onLost(), this.#silenceMs);
  }

  #onSilence(number) {
    this.#settle(number)?.reject(new UnansweredError("no answer"));
    if (number > this.#lastDoubt) this.#doubt();
  }

  /** Ask for any word at all: a server that is only slow has one, and a connection that is dead need not be waited for. */
  #doubt() {
    this.#lastDoubt = this.#lastAsk++;
    this.#web.send(`42${this.#lastDoubt}["quien_soy"]`);
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#onLost(), DOUBT_MS);
  }

  #settle(number) {
    const asked = this.#asked.get(number);
    this.#asked.delete(number);
    clearTimeout(asked?.timer);
    return asked;
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    if (state === State.ONLINE) this.refusal = null;
    this.#call("state", state);
  }

  #call(event, data) {
    for (const handler of this.#handlers.get(event) ?? []) handler(data);
  }
}
