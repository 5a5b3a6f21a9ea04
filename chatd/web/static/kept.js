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
