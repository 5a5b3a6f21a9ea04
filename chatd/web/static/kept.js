// What outlives a page, with its tab or with the browser. Where the browser forbids pages to keep things, they last as
// long as the page.

export const Place = Object.freeze({ TAB: "sessionStorage", BROWSER: "localStorage" });

const refused = new Map(); // what the browser would not keep, by place and key

/** What was kept as `key`, or `otherwise`. */
export function remembered(place, key, otherwise) {
  try {
    return JSON.parse(refused.get(place + key) ?? window[place].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep what JSON can say; null is forgotten. */
export function keep(place, key, value) {
  refused.delete(place + key);
  try {
    if (value === null) window[place].removeItem(key);
    else window[place].setItem(key, JSON.stringify(value));
  } catch {
    if (value !== null) refused.set(place + key, JSON.stringify(value));
  }
}

/**
 * Values of one user, kept with the browser, each under a key of its own: two windows do not overwrite each other.
 * A key is a list of strings.
 */
export class KeptOf {
  #prefix;

  constructor(name, user) {
    this.#prefix = `${name} ${JSON.stringify(user)} `;
  }

  get(...key) {
    return remembered(Place.BROWSER, this.#prefix + JSON.stringify(key), null);
  }

  /** Null is forgotten. */
  set(value, ...key) {
    keep(Place.BROWSER, this.#prefix + JSON.stringify(key), value);
  }

  keys() {
    const ours = (name) => name.startsWith(this.#prefix);
    return names().filter(ours).map((name) => JSON.parse(name.slice(this.#prefix.length)));
  }
}

function names() {
  const unkept = [...refused.keys()].map((name) => name.slice(Place.BROWSER.length));
  try {
    return [...Object.keys(window.localStorage), ...unkept];
  } catch {
    return unkept;
  }
}
