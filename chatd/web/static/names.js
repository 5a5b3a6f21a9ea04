// Names as they are shown: no two that differ look alike for what nobody sees.

// Joiners that belong: in a sequence of emoji, and between Arabic letters.
const BELONGS = String.raw`\p{RGI_Emoji}|(?<=\p{sc=Arabic})\u200c(?=\p{sc=Arabic})`;
// Controls, what turns the direction of writing, what has no width, and every space but a single one between words.
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?<=^|\s)\s|\s$|[\s--\x20]`;
const ODD = new RegExp(`(${BELONGS})|${UNSEEN}`, "gv");

/**
 * `name` with a mark in place of each character that would not be seen: "ana\u200b" is "ana⟨200B⟩"; and of each that
 * looks like its composed form: "jose\u0301" is "jose⟨0301⟩", and "jos\u00e9" stays as it is.
 */
export function shownName(name) {
  return uncomposed(name).replace(ODD, (odd, whole) => whole ?? (odd === " " ? "␣" : `⟨${codeOf(odd)}⟩`));
}

/** The letters of `name` that are seen. */
export function seenLetters(name) {
  return name.replace(ODD, (odd, whole) => whole ?? " ").trim();
}

// A letter in several code points, or in an old one, looks like the one of Unicode's composed form (NFC).
function uncomposed(name) {
  if (isComposed(name)) return name;
  const letters = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(name)];
  return letters.map(({ segment }) => (isComposed(segment) ? segment : markedParts(segment))).join("");
}

function markedParts(letter) {
  return [...letter].map((part, at) => (at === 0 && isComposed(part) ? part : `⟨${codeOf(part)}⟩`)).join("");
}

function isComposed(text) {
  return text === text.normalize("NFC");
}

function codeOf(letter) {
  return letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}
