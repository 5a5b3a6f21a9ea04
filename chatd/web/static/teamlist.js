// What a team adds to the list of conversations: filters, order, and in each row the assignee and the waiting time.

import { waited } from "./casebar.js";
import { byId } from "./dom.js";
import { filterButtons } from "./filters.js";
import { shownName } from "./names.js";
import { text } from "./texts.js";

const WAITS_AGAIN_MS = 30_000;

export function showTeam(list, team, people) {
  list.view = (persons) => team.view(persons);
  list.which = () => `${team.filter} ${team.byWaiting}`;
  list.loadMore = () => team.loadMore();
  list.facts = ({ user }) => {
    const { atiende, espera } = team.caseOf(user) ?? {};
    const facts = {};
    if (espera !== undefined) facts.waits = waited(espera);
    if (atiende !== undefined) facts.claimed = team.isMine(user) ? text("you") : shownName(people.get(atiende).title);
    return facts;
  };
  setInterval(() => team.isThere && list.render(), WAITS_AGAIN_MS);
  filterButtons(byId("list"), team);
  team.onChange(() => list.render());
}
