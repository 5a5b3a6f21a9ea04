// Lists the users online, for the list and the live view.

const MOST_PAGES = 4;

/** Yields the users online, up to about 2,000, page by page; none if the server does not tell. */
export async function* usersOnline(socket) {
  let after = undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const asked = after === undefined ? { limite: 500 } : { limite: 500, despues: after };
    const answer = await socket.askOrNull("conectados", asked);
    if (answer === null) return;
    yield* answer.conectados;
    if (!answer.hay_mas) return;
    after = answer.conectados.at(-1).user;
  }
}
