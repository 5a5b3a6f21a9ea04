// The one script that a site embeds:
//
//   <script src="https://chat.example.com/chatd/widget.js" data-para="soporte" async></script>
//
// It adds a round button; a click on it adds an iframe with the chat. The iframe has chatd's origin, so neither page can
// access the other. Before that click this script is the only request. The README lists its attributes.

(() => {
  const script = document.currentScript;
  const { dataset } = script;
  const home = new URL("./", script.src);

  const LABELS = {
    en: { open: "Open the chat", close: "Close the chat", title: "Support" },
    es: { open: "Abrir el chat", close: "Cerrar el chat", title: "Soporte" },
  };
  const FOR_THE_PANEL = ["para", "title", "color", "lang", "greeting", "away", "hours", "timeZone", "loggedOut"];
  const OPEN_KEY = "chatd.widget.open";
  const SMALL = window.matchMedia("(max-width: 480px)"); // the panel covers the page then

  const SHEET = `
    :host { all: initial; --brand: #0c6b5e; --on-brand: #fff; }
    button {
      position: fixed; right: 20px; bottom: 20px; z-index: 2147483000;
      display: grid; place-items: center; width: 58px; height: 58px; padding: 0;
      border: 0; border-radius: 50%; background: var(--brand); color: var(--on-brand); cursor: pointer;
      box-shadow: 0 2px 6px rgb(10 20 30 / 22%), 0 10px 28px rgb(10 20 30 / 22%);
    }
    button:hover { filter: brightness(0.92); }
    button:focus-visible { outline: 3px solid var(--brand); outline-offset: 3px; }
    svg { width: 27px; height: 27px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    span {
      position: absolute; top: -3px; right: -3px; min-width: 22px; padding: 0 6px; box-sizing: border-box;
      border-radius: 11px; background: #c0392b; color: #fff; font: 600 13px/22px system-ui, sans-serif; text-align: center;
    }
    iframe {
      position: fixed; right: 20px; bottom: 92px; z-index: 2147483000;
      width: 380px; height: min(600px, calc(100dvh - 112px));
      border: 0; border-radius: 18px; background: #fff; color-scheme: light dark;
      box-shadow: 0 2px 8px rgb(10 20 30 / 14%), 0 18px 50px rgb(10 20 30 / 26%);
    }
    .left button, .left iframe { right: auto; left: 20px; }
    p { position: fixed; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    :host([hidden]), [hidden] { display: none !important; }
    @media (max-width: 480px) {
      iframe, .left iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; }
      button.covered { display: none; } /* the loaded panel has its own close button */
    }
    @media (prefers-color-scheme: dark) { iframe { background: #11151b; } }
    @media (forced-colors: active) { button { border: 2px solid ButtonText; } }
  `;
  const CHAT = "M4 5h16v11H9l-5 4z";
  const CLOSE = "M6 9l6 6 6-6";

  // Elements.

  const path = drawn("path", {});
  const count = made("span", { hidden: true });
  const button = made("button", { type: "button" });
  // Hide the button's icons, never replace them: removing the pressed element between mousedown and mouseup loses the click.
  button.append(drawn("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, path), count);
  const announcer = made("p", {}); // in the page: screen readers skip a live region in a hidden iframe
  announcer.setAttribute("role", "status");
  const frame = made("iframe", { hidden: true });
  const place = made("div", { className: dataset.side === "left" ? "left" : "" });
  const host = document.createElement("chatd-widget");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  shadow.adoptedStyleSheets = [sheet];

  const spanish = (dataset.lang ?? navigator.language).toLowerCase().startsWith("es");
  let labels = { ...LABELS[spanish ? "es" : "en"], ...(dataset.title ? { title: dataset.title } : {}) };
  let unread = 0;
  let ready = false;

  function made(tag, properties) {
    return Object.assign(document.createElement(tag), properties);
  }

  function drawn(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** Use white or black on the site's colour, whichever has more contrast: that is always at least 4.5. */
  function paint() {
    const colour = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(dataset.color ?? "");
    if (!colour) {
      if (dataset.color) console.warn(`chatd: data-color is six hexadecimal digits, such as #0c6b5e, and not ${dataset.color}`);
      return;
    }
    const [r, g, b] = colour.slice(1).map((pair) => parseInt(pair, 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    host.style.setProperty("--brand", colour[0]);
    host.style.setProperty("--on-brand", 1.05 / (luminance + 0.05) >= 4.5 ? "#fff" : "#000");
  }

  // The iframe.

  function load() {
    if (frame.src) return;
    const address = new URL("panel", home);
    for (const name of FOR_THE_PANEL) if (dataset[name]) address.searchParams.set(name, dataset[name]);
    if (dataset.login) address.searchParams.set("login", new URL(dataset.login, document.baseURI));
    frame.src = address;
    place.prepend(frame); // src is set before: setting it later would add an entry to the page's history
  }

  function render() {
    const open = !frame.hidden;
    button.classList.toggle("covered", open && ready);
    path.setAttribute("d", open ? CLOSE : CHAT);
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", (open ? labels.close : labels.open) + (unread ? ` (${unread})` : ""));
    frame.title = labels.title;
    count.hidden = unread === 0 || open;
    count.textContent = unread > 99 ? "99+" : String(unread);
  }

  /** Announce the number of unread messages if it grew; never their text, since the page is the site's. */
  function setUnread(now, words) {
    if (now > unread && frame.hidden) announcer.textContent = words;
    unread = now;
  }

  function tellFrame() {
    if (ready) frame.contentWindow.postMessage({ chatd: { shown: !frame.hidden, hasFocus: document.hasFocus() } }, home.origin);
  }

  function show(open) {
    if (open) load();
    frame.hidden = !open;
    rememberOpen(open);
    render();
    tellFrame();
  }

  function toggle(open) {
    const elsewhere = ![host, document.body].includes(document.activeElement); // the site's page has the focus
    show(open);
    if (open) frame.focus();
    else if (!elsewhere) button.focus();
    if (open && SMALL.matches) pushStep();
    else if (!open) dropStep();
  }

  // When the panel covers the page, it adds a history entry, so that Back closes the panel and does not leave the site.

  function pushStep() {
    if (!history.state?.chatdPanel) history.pushState({ ...history.state, chatdPanel: true }, "");
  }

  function dropStep() {
    if (history.state?.chatdPanel) history.back();
  }

  window.addEventListener("popstate", () => {
    if (!frame.hidden && SMALL.matches && !history.state?.chatdPanel) show(false);
  });

  // The panel stays open across pages of the site, within one tab (sessionStorage).

  function rememberOpen(open) {
    try {
      if (open) sessionStorage.setItem(OPEN_KEY, "1");
      else sessionStorage.removeItem(OPEN_KEY);
    } catch {
      // the browser forbids sessionStorage
    }
  }

  function wasOpen() {
    try {
      return sessionStorage.getItem(OPEN_KEY) !== null;
    } catch {
      return false;
    }
  }

  /** Whether the browser has a login for the chat; true if the request fails. One request. */
  async function isLoggedIn() {
    try {
      const answer = await fetch(new URL("session", home), { credentials: "include" });
      return (await answer.json()).session;
    } catch {
      return true;
    }
  }

  async function begin() {
    const onlyLoggedIn = dataset.loggedOut === "nothing";
    const loggedIn = onlyLoggedIn || "unread" in dataset ? await isLoggedIn() : null;
    host.hidden = onlyLoggedIn && !loggedIn;
    if (host.hidden) return;
    if (wasOpen()) show(true);
    else if (loggedIn && "unread" in dataset) load();
    if (wasOpen() && SMALL.matches) pushStep();
  }

  window.addEventListener("message", ({ source, origin, data }) => {
    const news = data?.chatd;
    if (!frame.src || source !== frame.contentWindow || origin !== home.origin || typeof news !== "object") return;
    if (news.ready) {
      ready = true;
      tellFrame(); // the panel may have been opened before the iframe was loaded
    }
    if (Number.isInteger(news.unread)) setUnread(news.unread, String(news.words));
    if (news.labels) labels = { open: String(news.labels.open), close: String(news.labels.close), title: String(news.labels.title) };
    if (news.close && !frame.hidden) toggle(false);
    else render();
  });
  for (const event of ["focus", "blur"]) window.addEventListener(event, () => setTimeout(tellFrame)); // after a timeout: the focus may move into the iframe
  button.addEventListener("click", () => toggle(frame.hidden));
  document.addEventListener("keydown", ({ key, defaultPrevented }) => {
    if (key === "Escape" && !defaultPrevented && !frame.hidden) toggle(false);
  });

  paint();
  render();
  place.append(button, announcer);
  shadow.append(place);
  host.hidden = dataset.loggedOut === "nothing";
  begin();
  if (document.body) document.body.append(host);
  else document.addEventListener("DOMContentLoaded", () => document.body.append(host)); // the script tag is in the head, so there is no body yet
})();
