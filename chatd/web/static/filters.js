// Filter buttons above the list of a team: all conversations, or those of one kind, with their number; and the order.

import { arrange, make } from "./dom.js";
import { FILTERS } from "./team.js";
import { number, onLanguage, text } from "./texts.js";

const MOST = 1_000; // the server stops counting here

/** Puts the buttons before `list`, once there is a team. */
export function filterButtons(list, team) {
  const group = make("div", { class: "filters", role: "group", hidden: true });
  const buttons = [null, ...FILTERS].map((filter) => {
    const button = make("button", { type: "button", onclick: () => team.choose(filter) });
    button.dataset.filter = filter ?? "todas";
    return { filter, button };
  });
  const order = make("button", { type: "button", class: "order", onclick: () => team.order(!team.byWaiting) });
  list.before(group);
  arrange(group, [...buttons.map(({ button }) => button), order]);

  const draw = () => {
    group.hidden = !team.isThere;
    group.setAttribute("aria-label", text("team.filters"));
    order.hidden = !team.mayOrder;
    order.textContent = text("team.byWaiting");
    order.setAttribute("aria-pressed", String(team.byWaiting));
    for (const { filter, button } of buttons) {
      button.setAttribute("aria-pressed", String(team.filter === filter));
      const count = team.counts?.[filter] ?? 0;
      const shown = make("span", { class: "count" }, countText(count));
      button.replaceChildren(text(`team.${filter ?? "todas"}`), ...(filter === null ? [] : [" ", shown]));
    }
  };
  team.onChange(draw);
  onLanguage(draw);
  draw();
}

function countText(count) {
  if (count === 0) return "";
  return count >= MOST ? `${number(MOST)}+` : number(count);
}
