// The events of chatd for socket.io-client, made from protocol.md by `make reference`.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServerEvents, ServerToClientEvents } from "./chatd";
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url);

/** Why something was refused. A newer server may have further codes. */
export type ErrorCode =
  | "unknown_event"
  | "arguments_invalid"
  | "para_invalid"
  | "mensaje_invalid"
  | "mensaje_too_long"
  | "cid_invalid"
  | "con_invalid"
  | "buscar_invalid"
  | "hasta_invalid"
  | "desde_invalid"
  | "activo_invalid"
  | "limite_invalid"
  | "antes_invalid"
  | "despues_invalid"
  | "filtro_invalid"
  | "orden_invalid"
  | "relevo_invalid"
  | "correo_invalid"
  | "texto_invalid"
  | "atajo_invalid"
  | "too_many_replies"
  | "claimed"
  | "admins_only"
  | "history_busy"
  | "rate_limited"
  | "store_unavailable"
  | "store_full"
  | "store_busy"
  | "store_rejected"
  | "store_exhausted"
  | (string & {});

export interface Refusal {
  ok: false;
  error: { code: ErrorCode; message: string; retry_after_ms?: number };
}

/** How an event is acknowledged: as it says, or not at all. */
export type Answer<T = object> = ({ ok: true } & T) | Refusal;

export interface ClientToServerEvents {
  mensaje_privado: (payload: { para: string; mensaje: string; cid?: string }, answer: (answer: Answer<{ id: string; fecha: number }>) => void) => void;
  quien_soy: (answer: (answer: Answer<{ user: string; name: string; rol: string }>) => void) => void;
  avisos: (payload: { correo?: boolean }, answer: (answer: Answer<{ correo: boolean }>) => void) => void;
  conectados: (payload: { limite?: number; despues?: string } | undefined, answer: (answer: Answer<{ conectados: { user: string; sockets: number; desde: number }[]; total: number; hay_mas: boolean }>) => void) => void;
  atencion: (answer: (answer: Answer<{ atendido: boolean }>) => void) => void;
  nodos: (answer: (answer: Answer<{ nodo: number; nodos: { nodo: number; estado: string; version: string; activo_s: number; sockets: number; usuarios: number; oido_ms: number; atraso: number }[] }>) => void) => void;
  leido: (payload: { con: string; hasta: string }, answer: (answer: Answer) => void) => void;
  no_leido: (payload: { con: string; desde: string }, answer: (answer: Answer) => void) => void;
  leido_todo: (payload: { hasta: string }, answer: (answer: Answer) => void) => void;
  conversacion: (payload: { con: string }, answer: (answer: Answer<{ leido: string | null; leido_por: string | null; en_linea?: boolean; visto?: number | null }>) => void) => void;
  historial: (payload: { con?: string; antes?: string; despues?: string; limite?: number }, answer: (answer: Answer<{ mensajes: { id: string; de: string; para: string; mensaje: string; fecha: number }[]; hay_mas: boolean }>) => void) => void;
  conversaciones: (payload: { limite?: number; antes?: string; buscar?: string } | undefined, answer: (answer: Answer<{ conversaciones: { con: string; ultimo: { id: string; de: string; para: string; mensaje: string; fecha: number }; no_leidos: number }[]; hay_mas: boolean }>) => void) => void;
  no_leidos: (payload: { con?: string } | undefined, answer: (answer: Answer<{ no_leidos: Record<string, number> }>) => void) => void;
  buscar: (payload: { texto: string; con?: string; antes?: string; limite?: number }, answer: (answer: Answer<{ encontrados: { id: string; de: string; para: string; mensaje: string; fecha: number }[]; sigue: string | null }>) => void) => void;
  escribiendo: (payload: { para: string; activo: boolean }, answer?: (answer: Answer) => void) => void;
  atender: (payload: { con: string; relevo?: boolean }, answer: (answer: Answer<{ caso: { con: string; estado: string; rev: number; atiende?: string; desde?: number; cerro?: string; cerrado?: number; espera?: number } }>) => void) => void;
  soltar: (payload: { con: string }, answer: (answer: Answer) => void) => void;
  resolver: (payload: { con: string; hasta?: string; relevo?: boolean }, answer: (answer: Answer) => void) => void;
  nota: (payload: { con: string; texto: string }, answer: (answer: Answer<{ id: string; fecha: number }>) => void) => void;
  notas: (payload: { con: string; antes?: string; limite?: number }, answer: (answer: Answer<{ notas: { id: string; con: string; de: string; texto: string; fecha: number }[]; hay_mas: boolean }>) => void) => void;
  respuestas: (payload: { despues?: string }, answer: (answer: Answer<{ respuestas: { atajo: string; texto: string }[]; hay_mas: boolean }>) => void) => void;
  respuesta: (payload: { atajo: string; texto: string | null }, answer: (answer: Answer) => void) => void;
  firma: (payload: { con: string }, answer: (answer: Answer<{ nombre?: string }>) => void) => void;
}

export interface ServerToClientEvents {
  mensaje_recibido: (payload: { de: string; mensaje: string; id?: string; para?: string; fecha?: number; cid?: string }, position?: string) => void;
  mensaje_enviado: (payload: { id: string; para: string; mensaje: string; fecha: number; cid?: string }, position?: string) => void;
  mensaje_error: (payload: { code: string; message: string }, position?: string) => void;
  desconexion: (payload: { code: string; message: string }, position?: string) => void;
  al_dia: (payload: { ultimo: string | null; completo: boolean }, position?: string) => void;
  presencia: (payload: { user: string; en_linea: boolean; visto: number | null }, position?: string) => void;
  leido: (payload: { de: string; hasta: string } | { con: string; hasta: string }, position?: string) => void;
  no_leido: (payload: { con: string; desde: string }, position?: string) => void;
  leido_todo: (payload: { hasta: string }, position?: string) => void;
  escribiendo: (payload: { de: string; para: string; activo: boolean }, position?: string) => void;
  caso: (payload: { con: string; estado: string; rev: number; atiende?: string; desde?: number; cerro?: string; cerrado?: number; espera?: number }, position?: string) => void;
  nota: (payload: { id: string; con: string; de: string; texto: string; fecha: number }, position?: string) => void;
  respuesta: (payload: { atajo: string; texto: string | null }, position?: string) => void;
}
