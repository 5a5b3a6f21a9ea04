// Times in a page: short for the eye, whole for the mouse and for programs.

import { make } from "./dom.js";
import { dated } from "./texts.js";

/** `<time>` that shows `words` for a moment in milliseconds since 1970. */
export function moment(ms, words) {
  const title = dated(ms, { dateStyle: "full", timeStyle: "medium" });
  return make("time", { datetime: new Date(ms).toISOString(), title }, words);
}

const QUARTER_MS = 15 * 60_000; // in which no time zone has two days
const days = new Map();

/** What all moments of one day have in common. */
export function dayKey(ms) {
  const quarter = Math.floor(ms / QUARTER_MS);
  if (!days.has(quarter)) days.set(quarter, new Date(ms).toDateString());
  return days.get(quarter);
}
