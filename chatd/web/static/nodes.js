// The table of cluster nodes in the live view.

import { arrange, byId, make } from "./dom.js";
import { number, text } from "./texts.js";

export class NodesTable {
  #socket;
  #isAlone = false;

  constructor(socket) {
    this.#socket = socket;
  }

  /** Ask for the nodes and draw them. Returns the sockets of all nodes; null without a cluster or an answer. */
  async refresh() {
    const answer = await this.#ask();
    byId("nodes").hidden = answer === null;
    if (answer === null) return null;
    arrange(byId("nodes-rows"), answer.nodos.map((node) => rowOf(node, node.nodo === answer.nodo)));
    return answer.nodos.filter(({ estado }) => isThere(estado)).reduce((sum, { sockets }) => sum + sockets, 0);
  }

  // Internals.

  async #ask() {
    if (this.#isAlone) return null;
    return this.#socket.askOrNull("nodos", {}, (code) => (this.#isAlone = code === "unknown_event"));
  }
}

const isThere = (state) => state !== "ended" && state !== "gone";

function rowOf({ nodo, estado, version, sockets, usuarios, oido_ms, atraso }, isOurs) {
  const heard = isOurs ? text("thisNode") : `${number(oido_ms / 1000, 1)} s`;
  const figures = isThere(estado) ? [number(sockets), number(usuarios), number(atraso)] : ["–", "–", "–"];
  return make(
    "tr",
    {},
    make("td", {}, String(nodo)),
    make("td", {}, text(`node.${estado}`)),
    make("td", {}, version),
    ...figures.map((figure) => make("td", { class: "figure" }, figure)),
    make("td", { class: "figure" }, heard),
  );
}
