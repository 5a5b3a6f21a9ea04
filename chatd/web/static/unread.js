// The number of conversations with unread messages: in the tab of the list and in the title of the page.

import { byId } from "./dom.js";
import { badgeTitle } from "./notices.js";

export function showUnread(people) {
  const count = countOf(people);
  byId("unread").hidden = count === "";
  byId("unread").textContent = count;
  byId("all-read").hidden = count === "";
  badgeTitle(count);
}

/** "3", or "3+" if not all conversations are loaded; empty if all are read. */
function countOf({ unread, hasMore }) {
  return unread ? `${unread}${hasMore ? "+" : ""}` : "";
}
