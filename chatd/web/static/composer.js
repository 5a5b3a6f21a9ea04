// The message box of console and widget.

import { make } from "./dom.js";
import { number, onLanguage, text } from "./texts.js";

const LONGEST = 10_000; // the server may have a lower limit: then it refuses

/** Set up the message box: Enter sends, Shift+Enter adds a line, and the box grows with its text. */
export function composer(form, { onSend, onTyping, mayLeave = () => true }) {
  const box = form.querySelector("textarea");
  const excess = make("p", { class: "excess", id: "excess", role: "status", hidden: true });
  form.before(excess);
  const fit = () => {
    growWithText(box);
    const over = lengthOf(box.value.trim()) - LONGEST;
    excess.hidden = over <= 0;
    excess.textContent = over > 0 ? text("excess", { count: number(over), limit: number(LONGEST) }) : "";
    box.setAttribute("aria-invalid", String(over > 0));
    box.setAttribute("aria-describedby", excess.id);
    form.querySelector("button").disabled = over > 0;
    form.classList.toggle("empty", !box.value.trim());
  };
  box.addEventListener("input", () => {
    fit();
    onTyping(box.value !== "");
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const written = box.value.trim();
    if (!written || lengthOf(written) > LONGEST || !mayLeave()) return;
    box.value = "";
    fit();
    onTyping(false);
    onSend(written);
  });
  window.addEventListener("resize", fit); // a hidden frame has no line height to measure
  onLanguage(fit);
  fit();
}

/** Set the height to that of the text; the style sheet has the maximum. */
function growWithText(box) {
  box.style.height = "";
  if (box.scrollHeight) box.style.height = `${box.scrollHeight}px`;
}

/** Length in code points, as the server counts (C-12): an emoji is one here and may be two in `length`. */
function lengthOf(words) {
  return words.length > LONGEST ? [...words].length : words.length;
}
