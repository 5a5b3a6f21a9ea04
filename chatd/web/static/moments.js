// `<time>` elements: a short text, with the full date in title and datetime.

import { make } from "./dom.js";
import { dated } from "./texts.js";

/** `<time>` that shows `words` for a moment in milliseconds since 1970. */
export function moment(ms, words) {
  const title = dated(ms, { dateStyle: "full", timeStyle: "medium" });
  return make("time", { datetime: new Date(ms).toISOString(), title }, words);
}

const QUARTER_MS = 15 * 60_000; // no time zone changes the day within a quarter of an hour
const days = new Map();

/** A key that is equal for all moments of one local day. */
export function dayKey(ms) {
  const quarter = Math.floor(ms / QUARTER_MS);
  if (!days.has(quarter)) days.set(quarter, new Date(ms).toDateString());
  return days.get(quarter);
}
