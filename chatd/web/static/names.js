// Names as they are shown: no two that differ look alike for what nobody sees.

// Joiners that belong: in a sequence of emoji, and between Arabic letters.
const BELONGS = String.raw`\p{RGI_Emoji}|(?<=\p{sc=Arabic})\u200c(?=\p{sc=Arabic})`;
// Controls, what turns the direction of writing, what has no width, and every space but a single one between words.
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?<=^|\s)\s|\s$|[\s--\x20]`;
const ODD = new RegExp(`(${BELONGS})|${UNSEEN}`, "gv");

/** `name` with a mark in place of each character that would not be seen: "ana\u200b" is "ana⟨200B⟩". */
export function shownName(name) {
  return name.replace(ODD, (odd, whole) => whole ?? (odd === " " ? "␣" : `⟨${codeOf(odd)}⟩`));
}

/** The letters of `name` that are seen. */
export function seenLetters(name) {
  return name.replace(ODD, (odd, whole) => whole ?? " ").trim();
}

function codeOf(letter) {
  return letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}
