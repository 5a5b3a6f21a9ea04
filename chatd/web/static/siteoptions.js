// The site's options: attributes of the widget's tag, which the widget passes to the panel in its address.

import { Hours } from "./hours.js";

export class SiteOptions {
  /** `login` is the operator's login address, used if the tag has none. */
  constructor(search, login) {
    const given = new URLSearchParams(search);
    const words = (name) => given.get(name)?.trim() ?? "";
    this.para = words("para") || "soporte";
    this.title = words("title");
    this.greeting = words("greeting");
    this.away = words("away");
    this.hours = hoursOf(words("hours"), words("timeZone"));
    this.loggedOut = words("loggedOut");
    this.login = httpAddress(words("login")) ?? (login || null);
    this.colour = /^#[0-9a-f]{6}$/i.test(words("color")) ? words("color") : null;
  }

  /** Use the site's colour for the head and the button, with white or black text, whichever has more contrast. */
  paint(root) {
    if (this.colour === null) return;
    root.style.setProperty("--head", this.colour);
    root.style.setProperty("--on-head", contrast(this.colour, "#ffffff") >= 4.5 ? "#ffffff" : "#000000");
    root.toggleAttribute("data-branded", true);
  }
}

/** The opening hours; null if there are none or they cannot be parsed. */
function hoursOf(words, timeZone) {
  if (!words) return null;
  try {
    return new Hours(words, timeZone);
  } catch (error) {
    console.warn(`chatd: data-hours or data-time-zone: ${error.message}`);
    return null;
  }
}

/** The address if it is http(s), else null: this excludes `javascript:`. */
function httpAddress(words) {
  return URL.canParse(words) && /^https?:$/.test(new URL(words).protocol) ? words : null;
}

/** Contrast ratio of two colours, `#rrggbb`: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((less, more) => less - more);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
