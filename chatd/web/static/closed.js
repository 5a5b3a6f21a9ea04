// The sentence that is shown instead of the desk, or above it: why the reader cannot use the console now.

import { byId } from "./dom.js";
import { shownName } from "./names.js";
import { loginAddress, refusalText, showClosing } from "./page.js";
import { UNTIL_LOGIN } from "./socket.js";
import { text } from "./texts.js";

/** The reader is not an admin. */
export function showNotAdmin(user) {
  showClosed(text("notAdmin"), text("notAdminHint", { user: shownName(user) }), byId("closed-link"));
}

/** After a session has ended its loaded messages stay visible until the next login; no new ones arrive. */
export function showRefusal(refusal, hasMessages) {
  const mayLogIn = UNTIL_LOGIN.has(refusal?.code);
  showClosed(text("state.refused"), refusalText(refusal), byId("closed-retry"), { keepDesk: mayLogIn && hasMessages });
  byId("closed-login").hidden = !mayLogIn || loginAddress() === "";
}

/** `wayOut` is the link or button below the sentence. */
function showClosed(title, hint, wayOut, { keepDesk = false } = {}) {
  byId("desk").hidden = !keepDesk;
  showClosing(keepDesk);
  byId("closed-title").textContent = title;
  byId("closed-hint").textContent = hint;
  for (const id of ["closed-retry", "closed-link", "closed-login"]) byId(id).hidden = byId(id) !== wayOut;
  byId("closed-title").focus();
}
