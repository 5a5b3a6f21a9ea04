// The messages of one conversation that are not stored yet: sent until the server acknowledges or refuses them.
// Has no DOM code.

import { RefusedError, UnansweredError } from "./socket.js";

export const Fate = Object.freeze({ SENDING: "sending", STORED: "stored", FAILED: "failed" });

const AGAIN_MS = 3_000;

/** 96 random bits. `crypto.randomUUID` exists only in secure contexts (TLS or localhost). */
function newCid() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  #socket;
  #para;
  #onChange;
  #onStored;
  #againTimer = 0;
  pending = []; // in the order in which they were written

  /** `onChange` is called whenever a message may have changed, `onStored` with each message that has got its id. */
  constructor(socket, para, { onChange, onStored }) {
    this.#socket = socket;
    this.#para = para;
    this.#onChange = onChange;
    this.#onStored = onStored;
  }

  /** Send `text` as a new message. All retries carry the same cid, so it is stored once (C-21). */
  send(text) {
    const message = { cid: newCid(), mensaje: text, fecha: Date.now(), fate: Fate.SENDING, mine: true };
    this.#set([...this.pending, message]);
    this.#deliver(message);
  }

  /** Take over messages that an earlier page could not send; `resend` sends those that were not refused. */
  restore(messages) {
    const again = messages.map((message) => ({ fate: Fate.SENDING, ...message, mine: true }));
    this.#set([...again, ...this.pending]);
  }

  /** Send pending messages again, except those that were refused or await an acknowledgement. */
  resend() {
    if (!this.#socket.online) return;
    for (const message of this.pending) if (message.fate === Fate.SENDING && !message.asked) this.#deliver(message);
  }

  /** Send a message that was refused again. */
  retry(message) {
    Object.assign(message, { fate: Fate.SENDING, error: null });
    this.#set(this.pending);
    this.#deliver(message);
  }

  /** Forget a message that was refused. */
  discard(message) {
    this.#set(this.pending.filter((one) => one !== message));
  }

  /** The message with this cid has come back from the server. */
  wasStored(cid) {
    if (this.pending.some((one) => one.cid === cid)) this.#set(this.pending.filter((one) => one.cid !== cid));
  }

  // Internals.

  #set(pending) {
    this.pending = pending;
    this.#onChange(pending);
  }

  async #deliver(message) {
    message.asked = true;
    try {
      const { cid, mensaje } = message;
      const { id, fecha } = await this.#socket.ask("mensaje_privado", { para: this.#para, mensaje, cid });
      this.discard(message);
      this.#onStored(Object.assign(message, { id, fecha, fate: Fate.STORED }));
    } catch (error) {
      this.#onUndelivered(message, error);
    }
    message.asked = false;
    this.#onChange(this.pending);
  }

  /** An unacknowledged message may be stored: send it again until it is acknowledged. A refused one waits for its author. */
  #onUndelivered(message, error) {
    if (error instanceof UnansweredError) {
      clearTimeout(this.#againTimer);
      this.#againTimer = setTimeout(() => this.resend(), AGAIN_MS);
    } else if (error instanceof RefusedError) {
      Object.assign(message, { fate: Fate.FAILED, error: { code: error.code, reason: error.message } });
      this.#set(this.pending);
    } else throw error;
  }
}
