// What outlives a page, with its tab or with the browser. Where the browser forbids pages to keep things, nothing does.

export const Place = Object.freeze({ TAB: "sessionStorage", BROWSER: "localStorage" });

/** What was kept as `key`, or `otherwise`. */
export function remembered(place, key, otherwise) {
  try {
    return JSON.parse(window[place].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep what JSON can say; null is forgotten. */
export function keep(place, key, value) {
  try {
    if (value === null) window[place].removeItem(key);
    else window[place].setItem(key, JSON.stringify(value));
  } catch {
    // then it lasts as long as the page
  }
}

/** Something of one user's for each addressee, kept with the tab. */
export class KeptForEach {
  #key;
  #values;

  constructor(name, user) {
    this.#key = `${name} ${user}`;
    this.#values = new Map(remembered(Place.TAB, this.#key, []));
  }

  get addressees() {
    return [...this.#values.keys()];
  }

  get(addressee) {
    return this.#values.get(addressee);
  }

  /** Null is forgotten. */
  set(addressee, value) {
    if (value !== null) this.#values.set(addressee, value);
    else if (!this.#values.delete(addressee)) return;
    keep(Place.TAB, this.#key, this.#values.size ? [...this.#values] : null);
  }
}
