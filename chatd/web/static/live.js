// The live view: message rate, latency and presence as this admin's own connection sees them, drawn once a second.

import { arrange, byId, make } from "./dom.js";
import { addressOf } from "./list.js";
import { shownName } from "./names.js";
import { NodesTable } from "./nodes.js";
import { usersOnline } from "./online.js";
import { drawChart } from "./chart.js";
import { briefly, number, text } from "./texts.js";

const SECONDS = 120;
const MEAN_OVER_S = 10;
const ASK_EVERY_S = 3;
const LATENCY_OVER_MS = 60_000;
const MOST_LATENCIES = 1_000;
const MOST_SHOWN = 100;

export class LiveView {
  #socket;
  #people;
  #nodes;
  #counts = new Array(SECONDS).fill(0); // messages in each second, the current second last
  #latencies = []; // { at, ms } of single deliveries
  #leastAhead = Infinity; // smallest (local clock - message date) seen
  #trips = [];
  #rows = new Map(); // by user: rows are reused, so that they keep the focus
  #seconds = 0;
  visible = false;

  constructor(socket, people) {
    this.#socket = socket;
    this.#people = people;
    this.#nodes = new NodesTable(socket);
    setInterval(() => this.#tick(), 1000);
  }

  /** A message arrived; `fecha` is the server's date of it, if the server sends dates. */
  onMessage({ fecha }) {
    this.#counts[SECONDS - 1]++;
    if (fecha === undefined) return;
    // Clock difference = offset of the fastest message, minus half a round trip.
    const ahead = Date.now() - fecha;
    this.#leastAhead = Math.min(this.#leastAhead, ahead);
    const oneWay = this.#trips.length ? Math.min(...this.#trips) / 2 : 0;
    if (this.#latencies.length === MOST_LATENCIES) this.#latencies.shift();
    this.#latencies.push({ at: Date.now(), ms: ahead - this.#leastAhead + oneWay });
  }

  show() {
    this.visible = true;
    this.#seconds = 0;
    this.#draw();
    this.#ask();
  }

  hide() {
    this.visible = false;
  }

  // Internals.

  #tick() {
    this.#counts.push(0);
    this.#counts.shift();
    this.#latencies = this.#latencies.filter(({ at }) => Date.now() - at < LATENCY_OVER_MS);
    if (!this.visible) return;
    this.#draw();
    if (++this.#seconds % ASK_EVERY_S === 0) this.#ask();
  }

  #draw() {
    const whole = this.#counts.slice(0, -1);
    const mean = whole.slice(-MEAN_OVER_S).reduce((sum, count) => sum + count, 0) / MEAN_OVER_S;
    byId("live-rate").textContent = number(mean, mean < 10 ? 1 : 0);
    byId("chart-top").textContent = `${number(drawChart(byId("chart"), whole, text("chartLabel")))}/s`;
    this.#drawLatency();
  }

  #drawLatency() {
    const sorted = this.#latencies.map(({ ms }) => ms).sort((one, other) => one - other);
    const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
    const shown = byId("live-latency");
    if (!sorted.length) shown.replaceChildren(make("small", {}, text("noSamples")));
    else shown.replaceChildren(`${number(at(0.5))} `, make("small", {}, `/ ${number(at(0.95))} ms`));
    const trip = this.#trips.at(-1);
    byId("live-trip").replaceChildren(...(trip === undefined ? ["–"] : [`${number(trip)} `, make("small", {}, "ms")]));
  }

  async #ask() {
    if (!this.#socket.online) return;
    const before = performance.now();
    const here = [];
    for await (const one of usersOnline(this.#socket)) {
      if (!here.length) this.#trips = [...this.#trips.slice(-19), performance.now() - before];
      here.push(one);
    }
    const ofAllNodes = await this.#nodes.refresh();
    const sockets = ofAllNodes ?? here.reduce((sum, one) => sum + one.sockets, 0);
    byId("live-sockets").textContent = ofAllNodes !== null || here.length ? number(sockets) : "–";
    byId("live-people").textContent = here.length ? number(here.length) : "–";
    this.#drawWho(here.sort((one, other) => other.desde - one.desde).slice(0, MOST_SHOWN));
  }

  #drawWho(here) {
    this.#rows = new Map(here.map(({ user }) => [user, this.#rows.get(user) ?? this.#rowOf(user)]));
    for (const { user, sockets, desde } of here) {
      const [, since, figure] = this.#rows.get(user).cells;
      since.textContent = briefly(desde);
      figure.textContent = number(sockets);
    }
    const rows = [...this.#rows.values()];
    arrange(byId("who"), rows.length ? rows : [make("tr", {}, make("td", { colspan: 3 }, text("liveMissing")))]);
  }

  #rowOf(user) {
    const name = user === this.#people.me
      ? make("span", { dir: "auto" }, shownName(user))
      : make("a", { href: addressOf(user), dir: "auto" }, shownName(user));
    return make("tr", {}, make("td", {}, name), make("td"), make("td", { class: "figure" }));
  }
}
