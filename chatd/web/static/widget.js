// The one script that a site embeds:
//
//   <script src="https://chat.example.com/chatd/widget.js" data-para="soporte" async></script>
//
// It adds a round button, and a frame with the chat that the button opens. The frame is a page of chatd's own host, so
// neither page can reach into the other. `data-para` is whom messages are addressed to; every admin gets them anyway.

(() => {
  const script = document.currentScript;
  const home = new URL("./", script.src);

  const SHEET = `
    :host { all: initial; }
    button {
      position: fixed; right: 20px; bottom: 20px; z-index: 2147483000;
      display: grid; place-items: center; width: 58px; height: 58px; padding: 0;
      border: 0; border-radius: 50%; background: #0c6b5e; color: #fff; cursor: pointer;
      box-shadow: 0 2px 6px rgb(10 20 30 / 22%), 0 10px 28px rgb(10 20 30 / 22%);
    }
    button:hover { background: #0a5a4f; }
    button:focus-visible { outline: 3px solid #0c6b5e; outline-offset: 3px; }
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
    p { position: fixed; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    [hidden] { display: none !important; }
    @media (max-width: 480px) {
      iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; }
      button.covered { display: none; } /* the panel has a button of its own, once it is there */
    }
    @media (prefers-color-scheme: dark) { iframe { background: #11151b; } }
  `;

  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.append(path);

  const CHAT = "M4 5h16v11H9l-5 4z";
  const CLOSE = "M6 9l6 6 6-6";

  const host = document.createElement("chatd-widget");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  shadow.adoptedStyleSheets = [sheet];

  const button = document.createElement("button");
  button.type = "button";
  const count = document.createElement("span");
  count.hidden = true;
  button.append(svg, count); // what is in it stays: a press on something that is taken out is no click
  const announcer = document.createElement("p"); // of its own: what is in a hidden frame is not read out
  announcer.setAttribute("role", "status");
  const frame = document.createElement("iframe");
  frame.hidden = true;
  const address = new URL("panel", home);
  if (script.dataset.para) address.searchParams.set("para", script.dataset.para);
  frame.src = address;
  let labels = { open: "Chat", close: "Chat", title: "Chat" };
  let unread = 0;
  let ready = false;

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

  /** How many there are, when there are more; never what they say, in the page of somebody else. */
  function setUnread(now, words) {
    if (now > unread && frame.hidden) announcer.textContent = words;
    unread = now;
  }

  function tellFrame() {
    if (ready) frame.contentWindow.postMessage({ chatd: { shown: !frame.hidden } }, home.origin);
  }

  function toggle(open) {
    const elsewhere = ![host, document.body].includes(document.activeElement); // in the page of the site
    frame.hidden = !open;
    render();
    tellFrame();
    if (open) frame.focus();
    else if (!elsewhere) button.focus();
  }

  window.addEventListener("message", ({ source, origin, data }) => {
    const news = data?.chatd;
    if (source !== frame.contentWindow || origin !== home.origin || typeof news !== "object") return;
    if (news.ready) {
      ready = true;
      tellFrame(); // it may have been opened before it was loaded
    }
    if (Number.isInteger(news.unread)) setUnread(news.unread, String(news.words));
    if (news.labels) labels = { open: String(news.labels.open), close: String(news.labels.close), title: String(news.labels.title) };
    if (news.close && !frame.hidden) toggle(false);
    else render();
  });
  button.addEventListener("click", () => toggle(frame.hidden));
  document.addEventListener("keydown", ({ key, defaultPrevented }) => {
    if (key === "Escape" && !defaultPrevented && !frame.hidden) toggle(false);
  });

  render();
  shadow.append(frame, button, announcer);
  if (document.body) document.body.append(host);
  else document.addEventListener("DOMContentLoaded", () => document.body.append(host)); // the tag is in the head
})();
