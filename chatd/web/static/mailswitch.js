// The switch of mail, for users and admins: it is there where the server keeps addresses (`avisos`), and holds for the
// person in every browser.

/** Makes a switch of `button`. What is returned asks the server what holds now. */
export function mailSwitch(socket, button) {
  async function ask(correo) {
    const answer = await socket.askOrNull("avisos", { correo });
    if (answer) button.setAttribute("aria-pressed", String(answer.correo));
    return answer;
  }
  button.addEventListener("click", () => ask(button.getAttribute("aria-pressed") !== "true"));
  return async () => (button.hidden = !(await ask()));
}
