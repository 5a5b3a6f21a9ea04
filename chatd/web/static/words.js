// Turns the text of a message into elements: links, code between backticks, long texts folded. Text never becomes markup.

import { make } from "./dom.js";
import { text } from "./texts.js";

const LONG_CHARS = 1_600;
const LONG_LINES = 24;

// A link has no white space, no quotes, and no invisible or bidirectional control characters.
const PARTS = /```\n?([^]+?)\n?```|`([^`\n]+)`|https?:\/\/[^\s\p{Cc}\p{Cf}<>"'`]+/gu;
const BEHIND_A_LINK = /[.,;:!?)\]}…]+$/u;

/** The child nodes of the bubble. */
function partsOf(words) {
  const parts = [];
  let end = 0;
  for (const found of words.matchAll(PARTS)) {
    const [whole, block, inline] = found;
    const code = block ?? inline;
    const shown = code === undefined ? withoutTail(whole) : whole;
    const element = code === undefined ? link(shown) : make("code", { class: block === undefined ? "" : "block" }, code);
    if (element === null) continue;
    parts.push(words.slice(end, found.index), element);
    end = found.index + shown.length;
  }
  return [...parts, words.slice(end)].filter((part) => part !== "");
}

/** The bubble of a message, and for a long one the button that unfolds it. */
export function bubble(words) {
  const element = make("p", { class: "bubble", dir: "auto" }, ...partsOf(words));
  if (words.length <= LONG_CHARS && words.split("\n", LONG_LINES + 1).length <= LONG_LINES) return [element];
  element.classList.add("folded");
  return [element, unfolder(element)];
}

function unfolder(element) {
  const button = make("button", { type: "button", class: "unfold", "aria-expanded": "false" }, text("showAll"));
  button.addEventListener("click", () => {
    const folded = element.classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
    button.textContent = text(folded ? "showAll" : "showLess");
  });
  return button;
}

/** `address` without trailing punctuation; a closing bracket stays if the address opens it. */
function withoutTail(address) {
  const tail = BEHIND_A_LINK.exec(address)?.[0] ?? "";
  const closes = tail.startsWith(")") && address.includes("(");
  return address.slice(0, address.length - tail.length + (closes ? 1 : 0));
}

function link(address) {
  if (!URL.canParse(address)) return null;
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address);
}
