// Creates DOM elements. Text is always inserted as text nodes: no function here takes markup.

import { seenLetters } from "./names.js";

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  back: "M15 5l-7 7 7 7",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5a2 2 0 0 0 4 0",
  chat: "M4 5h16v11H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  delivered: "M2.5 12.5l4 4 8-9M10.5 15.5l1 1 9.5-9",
  down: "M12 5v13M6 12.5l6 6 6-6",
  live: "M3 12h4l3-7 4 14 3-7h4",
  mail: "M4 6h16v12H4zl8 7 8-7",
  print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
  read: "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20zM5.9 12.2l1.9-1.9 2.9 2.9 5.6-5.6 1.9 1.9-7.5 7.5z",
  send: "M4 12l16-7-5 15-4-6z",
  sending: "M12 4a8 8 0 1 0 8 8M12 8v4l3 2",
  sound: "M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  stored: "M5 12.5l4.5 4.5L19 7",
  unread: "M4 6h12M4 12h8M4 18h16M19 6a2 2 0 1 0 0 .1",
  up: "M12 19V6M6 11.5l6-6 6 6",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.5",
};

const FILLED = new Set(["read"]); // filled shape; the other icons are strokes
const AS_FILLED = { fill: "currentcolor", "fill-rule": "evenodd", stroke: "none" };

/** An element: `make("p", { class: "note", "aria-label": "..." }, "text", child)`. Attributes that are null are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** One of ICONS; `title` is the tooltip. Hidden from screen readers: the button or the text beside it names it. */
export function icon(name, title = "") {
  const path = drawn("path", { d: ICONS[name], ...(FILLED.has(name) ? AS_FILLED : {}) });
  const words = title ? [drawn("title", {}, title)] : [];
  return drawn("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, ...words, path);
}

function drawn(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Make `children` the children of `parent`, in this order. Elements that stay are not moved, so they keep the focus. */
export function arrange(parent, children) {
  const focused = document.activeElement;
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  // A moved element loses the focus.
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

/** Set aria-current of `link` to `what` ("page", or "true" in a list of links) if it is the current one. */
export function markCurrent(link, current, what) {
  if (current) link.setAttribute("aria-current", what);
  else link.removeAttribute("aria-current");
}

/** The round badge beside a name: two letters and a hue, always the same for one name. */
export function avatar(name) {
  const letters = seenLetters(name).split(/[\s._@-]+/).filter(Boolean).slice(0, 2).map((part) => [...part][0]).join("");
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 12, 7);
  return make("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, letters.toUpperCase() || "?");
}

const LATEST_MS = 250; // a hidden page gets no animation frames

/** Returns a function that runs `work` once before the next frame, however often it is called. */
export function onceAFrame(work) {
  let [frame, timer] = [0, 0];
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = 0;
    work();
  };
  return () => {
    if (timer) return;
    timer = setTimeout(run, LATEST_MS);
    frame = requestAnimationFrame(run);
  };
}

/** Announce `words` to screen readers only. */
export function announce(words) {
  byId("announcer").textContent = words;
}
