// Values that survive the page, in sessionStorage or localStorage. If the browser forbids both, values live in memory
// until the page is closed.

export const Place = Object.freeze({ TAB: "sessionStorage", BROWSER: "localStorage" });

const refused = new Map(); // values that the browser refused to store, by place and key

/** The value stored as `key`, or `otherwise`. */
export function remembered(place, key, otherwise) {
  try {
    return JSON.parse(refused.get(place + key) ?? window[place].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Store a value that JSON can encode; null removes it. */
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
 * Values of one user in localStorage, each under its own key, so that two windows do not overwrite each other's values.
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

  /** Null removes the value. */
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
