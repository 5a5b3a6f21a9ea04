// Who is online, for the list and for the live view.

const MOST_PAGES = 4;

/** Who is online, page by page, up to some two thousand; nobody where the server does not say. */
export async function* everybodyHere(socket) {
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
