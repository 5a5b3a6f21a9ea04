// Keyboard shortcuts of the console; the dialog that "?" opens lists them.

import { byId } from "./dom.js";
import { addressOf } from "./list.js";

/** `markUnread` takes the user whose row has the focus, or null; `allRead` marks everything; `print` prints the open thread. */
export function listenToKeys(list, { markUnread, allRead, print }) {
  document.addEventListener("keydown", (event) => {
    const writing = event.target.matches("input, textarea, select");
    const isArrow = ["ArrowUp", "ArrowDown"].includes(event.key);
    if (event.altKey && isArrow) goTo(list.neighbour(event.key === "ArrowUp" ? -1 : 1));
    else if (event.key === "/" && !writing) byId("search").focus();
    else if (event.key === "?" && !writing) byId("keys").showModal();
    else if (event.altKey && event.code === "KeyU") event.shiftKey ? allRead() : markUnread(list.userAt(event.target));
    else if ((event.ctrlKey || event.metaKey) && event.code === "KeyP" && !byId("thread").hidden) print();
    else if (event.key === "Escape" && event.target === byId("box")) byId("list").querySelector("[aria-current]")?.focus();
    else if (isArrow && byId("list").contains(event.target)) walk(event);
    else return;
    event.preventDefault();
  });
}

async function goTo(neighbour) {
  const user = await neighbour;
  if (user !== null) location.hash = addressOf(user);
}

/** Arrow keys: move between rows, and from the first row up to the search. */
function walk({ key, target }) {
  const row = target.closest("li");
  const next = key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
  if (next) next.querySelector("a")?.focus();
  else if (key === "ArrowUp") byId("search").focus();
}
