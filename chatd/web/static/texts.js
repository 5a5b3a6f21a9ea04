// The texts of the pages, in Spanish and English. Fills elements with `data-text` (their text), `data-label` (aria-label
// and title) and `data-placeholder`.

const TEXTS = {
  en: {
    conversations: "Conversations",
    live: "Live",
    search: "Search or write to…",
    searchLabel: "Search a user",
    writeTo: "Write to {user}",
    nobodyYet: "No conversations yet. When a user writes, it shows up here.",
    nobodyFound: "Nobody by that name.",
    choose: "Choose a conversation",
    chooseHint: "Press / to search, Alt with ↑ or ↓ to walk through the list.",
    message: "Message",
    messageTo: "Message to {user}",
    writeHere: "Write a message…",
    send: "Send",
    back: "Back to the list",
    online: "online",
    offline: "offline",
    lastSeen: "last seen {when}",
    typing: "writing…",
    sending: "Sending",
    stored: "Sent",
    delivered: "Delivered",
    read: "Read",
    failed: "Not sent",
    retry: "Try again",
    discard: "Discard",
    you: "You",
    today: "Today",
    yesterday: "Yesterday",
    beginning: "This is where the conversation begins.",
    notLoaded: "The messages are not here yet. They come with the connection.",
    emptyThread: "No messages yet. Say hello.",
    newMessages: "New messages",
    newHere: "New",
    newAbove: "{count} new above",
    draft: "Draft",
    skip: "Skip to the conversation",
    toFirstNew: "First unread",
    toDate: "Go to a date",
    inMessages: "In messages",
    olderHits: "Older messages",
    print: "Print the conversation",
    cut: "Messages are missing here: {shown} are printed. The print button of the console prints the last {count}.",
    markUnread: "Mark as unread",
    markedUnread: "{who} is marked as unread",
    markAllRead: "Mark all as read",
    allAreRead: "All is read",
    showAll: "Show all",
    showLess: "Show less",
    unread: "{count} unread",
    announce: "{who} says: {text}",
    "state.connecting": "Connecting…",
    "state.online": "Connected",
    "state.waiting": "No connection. Trying again…",
    "state.refused": "Not let in",
    "state.stopped": "Stopped",
    reconnected: "Connected again",
    "refused.token_missing": "There is no session here. Log in, and come back to this page.",
    "refused.token_expired": "The session has expired. Log in again, and come back to this page. What you wrote is still here.",
    "refused.token_denied": "This account may not come in.",
    "refused.other": "The server does not let this session in.",
    notAdmin: "This console is for admins.",
    notAdminHint: "You are {user}. The chat of users is on the page below.",
    toDemo: "Open the user's page",
    notifications: "Notify me on this desktop",
    mail: "Notify me by mail",
    sound: "A sound for new messages",
    notificationsDenied: "The browser blocks notifications of this page.",
    language: "Language",
    keys: "Keyboard",
    "keys.search": "search a user",
    "keys.walk": "previous or next conversation",
    "keys.print": "print the conversation",
    "keys.unread": "mark the conversation as unread",
    "keys.allRead": "mark all as read",
    "keys.send": "send; with Shift, a new line",
    "keys.escape": "leave the search; back to the list",
    "keys.help": "this page",
    close: "Close",
    sockets: "Connected sockets",
    people: "People online",
    rate: "Messages a second",
    rateHint: "as admins see them, mean of 10 s",
    latency: "Delivery",
    latencyHint: "median, and 95 of 100, of the last minute",
    roundTrip: "Round trip",
    chartLabel: "Messages a second over the last two minutes",
    now: "now",
    who: "Who is here",
    user: "User",
    since: "Since",
    socketsShort: "Sockets",
    nodes: "Nodes",
    node: "Node",
    nodeState: "State",
    version: "Version",
    peopleShort: "People",
    behind: "Behind",
    heard: "Heard",
    thisNode: "asked",
    "node.ready": "ready",
    "node.behind": "behind",
    "node.stopping": "stopping",
    "node.ended": "ended",
    "node.gone": "gone",
    liveMissing: "This server does not tell who is connected.",
    noSamples: "none yet",
    "widget.title": "Support",
    "widget.open": "Open the chat",
    "widget.close": "Close the chat",
    "widget.hello": "How can we help? We answer here.",
    "widget.away": "Nobody is here right now. Write to us: the answer will be here.",
    "widget.awayUntil": "Nobody is here right now: we answer by {when}. Write to us.",
    "widget.awayFrom": "Nobody is here right now: we answer from {when}. Write to us.",
    "widget.loggedOut": "The chat is for customers",
    "widget.logInFirst": "Log in, and write to us here.",
    logIn: "Log in",
    "widget.unread": "Unread in the chat: {count}",
    "widget.notUser": "This chat is for users.",
    "widget.notUserHint": "You are {user}, an admin. What users write here is in the console.",
    toConsole: "Open the console",
    excess: "{count} characters too many: a message has {limit} at most.",
    tooLong: "That message is too long.",
    noSuchName: "No user has such a name.",
    rateLimited: "Too many messages at once.",
    notStored: "The server could not store it.",
    "team.filters": "Which conversations",
    "team.todas": "All",
    "team.mias": "Mine",
    "team.libres": "Unclaimed",
    "team.sin_responder": "Unanswered",
    "team.resueltas": "Resolved",
    "team.byWaiting": "Longest wait first",
    "team.admin": "admin",
    "team.writes": "{who} is writing…",
    "team.nobody": "Nobody is on it",
    "team.mine": "You are on it",
    "team.theirs": "{who} is on it",
    "team.resolvedBy": "Resolved by {who}, {when}",
    "team.waits": "waiting: {time}",
    "team.now": "just now",
    "team.minutes": "{count} min",
    "team.hours": "{count} h",
    "team.days": "{count} days",
    "team.claim": "Claim",
    "team.release": "Release",
    "team.takeOver": "Take over",
    "team.resolve": "Resolve",
    "team.reopen": "Reopen",
    "team.rival": "{who} is on this conversation.",
    "team.unknown": "Nobody called {user} was ever here.",
    "team.unchecked": "The server has not told whether {user} was ever here.",
    "team.sendAnyway": "Send anyway",
    "team.dontSend": "Do not send",
    "team.notes": "Notes",
    "team.newNote": "A note that only admins see",
    "team.keepNote": "Keep",
    "team.replies": "Canned replies",
    "team.editReplies": "Edit replies…",
    "team.shortcut": "Shortcut",
    "team.replyText": "Text",
    "team.keepReply": "Keep",
    "team.deleteReply": "Delete",
  },
  es: {
    conversations: "Conversaciones",
    live: "En vivo",
    search: "Buscar o escribir a…",
    searchLabel: "Buscar un usuario",
    writeTo: "Escribir a {user}",
    nobodyYet: "Todavía no hay conversaciones. Cuando alguien escriba, aparecerá aquí.",
    nobodyFound: "Nadie con ese nombre.",
    choose: "Elige una conversación",
    chooseHint: "Pulsa / para buscar, Alt con ↑ o ↓ para recorrer la lista.",
    message: "Mensaje",
    messageTo: "Mensaje para {user}",
    writeHere: "Escribe un mensaje…",
    send: "Enviar",
    back: "Volver a la lista",
    online: "en línea",
    offline: "desconectado",
    lastSeen: "visto {when}",
    typing: "escribiendo…",
    sending: "Enviando",
    stored: "Enviado",
    delivered: "Entregado",
    read: "Leído",
    failed: "No se envió",
    retry: "Reintentar",
    discard: "Descartar",
    you: "Tú",
    today: "Hoy",
    yesterday: "Ayer",
    beginning: "Aquí empieza la conversación.",
    notLoaded: "Los mensajes aún no están aquí. Llegarán con la conexión.",
    emptyThread: "Todavía no hay mensajes. Saluda.",
    newMessages: "Mensajes nuevos",
    newHere: "Nuevos",
    newAbove: "{count} nuevos arriba",
    draft: "Borrador",
    skip: "Ir a la conversación",
    toFirstNew: "Primero sin leer",
    toDate: "Ir a una fecha",
    inMessages: "En los mensajes",
    olderHits: "Mensajes anteriores",
    print: "Imprimir la conversación",
    cut: "Aquí faltan mensajes: se imprimen {shown}. El botón de imprimir de la consola imprime los últimos {count}.",
    markUnread: "Marcar como no leído",
    markedUnread: "{who} queda como no leído",
    markAllRead: "Marcar todo como leído",
    allAreRead: "Todo está leído",
    showAll: "Mostrar todo",
    showLess: "Mostrar menos",
    unread: "{count} sin leer",
    announce: "{who} dice: {text}",
    "state.connecting": "Conectando…",
    "state.online": "Conectado",
    "state.waiting": "Sin conexión. Reintentando…",
    "state.refused": "Acceso denegado",
    "state.stopped": "Detenido",
    reconnected: "Conectado de nuevo",
    "refused.token_missing": "No hay sesión. Inicia sesión y vuelve a esta página.",
    "refused.token_expired": "La sesión ha caducado. Inicia sesión de nuevo y vuelve a esta página. Lo que escribiste sigue aquí.",
    "refused.token_denied": "Esta cuenta no puede entrar.",
    "refused.other": "El servidor no admite esta sesión.",
    notAdmin: "Esta consola es para administradores.",
    notAdminHint: "Eres {user}. El chat de los usuarios está en la página de abajo.",
    toDemo: "Abrir la página del usuario",
    notifications: "Avisarme en este escritorio",
    mail: "Avisarme por correo",
    sound: "Un sonido para mensajes nuevos",
    notificationsDenied: "El navegador bloquea los avisos de esta página.",
    language: "Idioma",
    keys: "Teclado",
    "keys.search": "buscar un usuario",
    "keys.walk": "conversación anterior o siguiente",
    "keys.print": "imprimir la conversación",
    "keys.unread": "marcar la conversación como no leída",
    "keys.allRead": "marcar todo como leído",
    "keys.send": "enviar; con Mayús, línea nueva",
    "keys.escape": "dejar la búsqueda; volver a la lista",
    "keys.help": "esta página",
    close: "Cerrar",
    sockets: "Conexiones",
    people: "Personas en línea",
    rate: "Mensajes por segundo",
    rateHint: "los que ven los administradores, media de 10 s",
    latency: "Entrega",
    latencyHint: "mediana, y 95 de cada 100, del último minuto",
    roundTrip: "Ida y vuelta",
    chartLabel: "Mensajes por segundo en los últimos dos minutos",
    now: "ahora",
    who: "Quién está",
    user: "Usuario",
    since: "Desde",
    socketsShort: "Conexiones",
    nodes: "Nodos",
    node: "Nodo",
    nodeState: "Estado",
    version: "Versión",
    peopleShort: "Personas",
    behind: "Atraso",
    heard: "Oído",
    thisNode: "preguntado",
    "node.ready": "listo",
    "node.behind": "atrasado",
    "node.stopping": "parando",
    "node.ended": "terminado",
    "node.gone": "desaparecido",
    liveMissing: "Este servidor no dice quién está conectado.",
    noSamples: "aún ninguna",
    "widget.title": "Soporte",
    "widget.open": "Abrir el chat",
    "widget.close": "Cerrar el chat",
    "widget.hello": "¿En qué podemos ayudarte? Respondemos aquí.",
    "widget.away": "Ahora no hay nadie. Escríbenos: la respuesta estará aquí.",
    "widget.awayUntil": "Ahora no hay nadie: respondemos antes de: {when}. Escríbenos.",
    "widget.awayFrom": "Ahora no hay nadie: respondemos a partir de: {when}. Escríbenos.",
    "widget.loggedOut": "El chat es para clientes",
    "widget.logInFirst": "Inicia sesión y escríbenos aquí.",
    logIn: "Iniciar sesión",
    "widget.unread": "Sin leer en el chat: {count}",
    "widget.notUser": "Este chat es para usuarios.",
    "widget.notUserHint": "Eres {user}, administrador. Lo que los usuarios escriben aquí está en la consola.",
    toConsole: "Abrir la consola",
    excess: "Sobran {count} caracteres: un mensaje tiene {limit} como máximo.",
    tooLong: "El mensaje es demasiado largo.",
    noSuchName: "Ningún usuario se llama así.",
    rateLimited: "Demasiados mensajes a la vez.",
    notStored: "El servidor no pudo guardarlo.",
    "team.filters": "Qué conversaciones",
    "team.todas": "Todas",
    "team.mias": "Mías",
    "team.libres": "Libres",
    "team.sin_responder": "Sin responder",
    "team.resueltas": "Resueltas",
    "team.byWaiting": "La espera más larga primero",
    "team.admin": "admin",
    "team.writes": "{who} escribe…",
    "team.nobody": "Nadie la atiende",
    "team.mine": "La atiendes tú",
    "team.theirs": "La atiende {who}",
    "team.resolvedBy": "Resuelta por {who}, {when}",
    "team.waits": "espera: {time}",
    "team.now": "ahora mismo",
    "team.minutes": "{count} min",
    "team.hours": "{count} h",
    "team.days": "{count} días",
    "team.claim": "Atender",
    "team.release": "Soltar",
    "team.takeOver": "Relevar",
    "team.resolve": "Resolver",
    "team.reopen": "Reabrir",
    "team.rival": "{who} atiende esta conversación.",
    "team.unknown": "Nadie llamado {user} ha estado aquí.",
    "team.unchecked": "El servidor no ha dicho si {user} ha estado aquí.",
    "team.sendAnyway": "Enviar igualmente",
    "team.dontSend": "No enviar",
    "team.notes": "Notas",
    "team.newNote": "Una nota que solo ven los administradores",
    "team.keepNote": "Guardar",
    "team.replies": "Respuestas guardadas",
    "team.editReplies": "Editar respuestas…",
    "team.shortcut": "Atajo",
    "team.replyText": "Texto",
    "team.keepReply": "Guardar",
    "team.deleteReply": "Borrar",
  },
};

const KEPT_AS = "chatd.language";

export const LANGUAGES = { es: "Español", en: "English" };

let language = remembered() ?? languageOf(new URLSearchParams(location.search).get("lang") ?? navigator.language);
const listeners = [];

function languageOf(tag) {
  return tag.toLowerCase().startsWith("es") ? "es" : "en";
}

function remembered() {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    return kept in LANGUAGES ? kept : null;
  } catch {
    return null; // the browser may forbid localStorage
  }
}

/** A text in the current language; `{name}` in it is replaced by `values.name`. */
export function text(key, values = {}) {
  return (TEXTS[language][key] ?? key).replace(/\{(\w+)\}/g, (mark, name) => values[name] ?? mark);
}

export function hasText(key) {
  return key in TEXTS[language];
}

export function currentLanguage() {
  return language;
}

export function onLanguage(listener) {
  listeners.push(listener);
}

export function setLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(KEPT_AS, chosen);
  } catch {
    // localStorage is forbidden: the choice lasts as long as the page
  }
  fillTexts();
  for (const listener of listeners) listener();
}

/** Fill the marked elements below `root`. */
export function fillTexts(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-placeholder]"))
    element.placeholder = text(element.dataset.placeholder);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.title = text(element.dataset.label);
    element.setAttribute("aria-label", element.title);
  }
}

const formats = new Map(); // cached: creating one takes too long to do it for each message

/** `ms` formatted in the current language, with options of Intl.DateTimeFormat. */
export function dated(ms, options) {
  const key = language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language, options));
  return formats.get(key).format(ms);
}

export function timeOf(ms) {
  return dated(ms, { hour: "2-digit", minute: "2-digit" });
}

/** "Today", "Yesterday", or the date. */
export function dayOf(ms) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(ms).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return text("today");
  if (days === 1) return text("yesterday");
  const year = new Date(ms).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return dated(ms, { weekday: "long", day: "numeric", month: "long", year });
}

/** Short, for lists: the time if it was today, else the date. */
export function briefly(ms) {
  if (new Date(ms).toDateString() === new Date().toDateString()) return timeOf(ms);
  return dated(ms, { day: "numeric", month: "short" });
}

/** For dates in the future: the time if it is today, else weekday and time. */
export function soon(ms) {
  if (new Date(ms).toDateString() === new Date().toDateString()) return timeOf(ms);
  return dated(ms, { weekday: "long", hour: "2-digit", minute: "2-digit" });
}

/** Calls `listener` when a new day begins, so that "Today" can become "Yesterday". */
export function onNewDay(listener) {
  let today = new Date().toDateString();
  const look = () => {
    const now = new Date().toDateString();
    if (now === today) return;
    today = now;
    listener();
  };
  const atMidnight = () => {
    look();
    setTimeout(atMidnight, Math.max(1, new Date().setHours(24, 0, 0, 0) - Date.now()));
  };
  document.addEventListener("visibilitychange", look); // timers are late after the machine slept
  atMidnight();
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}
