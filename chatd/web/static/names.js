// Names as they are shown: no two that differ look alike for what nobody sees.

// Joiners that belong: in a sequence of emoji, and between Arabic letters.
const BELONGS = String.raw`\p{RGI_Emoji}|(?<=\p{sc=Arabic})\u200c(?=\p{sc=Arabic})`;
// Controls, what turns the direction of writing, what has no width, and every space but a single one between words.
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?<=^|\s)\s|\s$|[\s--\x20]`;
const ANY_UNSEEN = new RegExp(UNSEEN, "v");
let odd = null; // made for the first name that needs it: it has thousands of emoji, and takes a phone a fifth of a second

// Among the letters that Unicode has for the sake of old encodings, those that names have: the ordinal in Mª, and jamo.
const IN_NAMES = /[ªº\p{sc=Hangul}]/u;
const LATIN = /\p{sc=Latin}/u;
const LIKE_LATIN = /[\p{sc=Cyrillic}\p{sc=Greek}\p{sc=Armenian}\p{sc=Cherokee}]/u;

/**
 * `name` with a mark in place of each character that would not be seen: "ana\u200b" is "ana⟨200B⟩"; and of each letter
 * that looks like another: "jose\u0301" is "jose⟨0301⟩", and "jos\u00e9" stays as it is. In a word with Latin letters
 * these are also those of the scripts that look like it: a Cyrillic "\u0430" in "an\u0430".
 */
export function shownName(name) {
  const letters = uncomposed(name).replace(/\S+/g, withoutLookalikes);
  return withoutUnseen(letters, (unseen) => (unseen === " " ? "␣" : marked(unseen)));
}

/** The letters of `name` that are seen. */
export function seenLetters(name) {
  return withoutUnseen(name, () => " ").trim();
}

/** `name` with `shown(character)` for each character that is not seen, unless it belongs where it is. */
function withoutUnseen(name, shown) {
  if (!ANY_UNSEEN.test(name)) return name;
  odd ??= new RegExp(`(${BELONGS})|${UNSEEN}`, "gv");
  return name.replace(odd, (found, whole) => whole ?? shown(found));
}

// A letter in several code points, or in an old one, looks like the one of Unicode's composed form (NFC).
function uncomposed(name) {
  if (isComposed(name)) return name;
  const letters = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(name)];
  return letters.map(({ segment }) => (isComposed(segment) ? segment : markedParts(segment))).join("");
}

function markedParts(letter) {
  return [...letter].map((part, at) => (at === 0 && isComposed(part) ? part : marked(part))).join("");
}

// Ligatures, wide and mathematical letters, and other scripts among Latin letters.
function withoutLookalikes(word) {
  const likeLatin = LATIN.test(word) ? LIKE_LATIN : undefined;
  return word.replace(/\p{L}/gu, (letter) => (isVariant(letter) || likeLatin?.test(letter) ? marked(letter) : letter));
}

function isVariant(letter) {
  return letter.normalize("NFKC") !== letter.normalize("NFC") && !IN_NAMES.test(letter);
}

function marked(letter) {
  return `⟨${codeOf(letter)}⟩`;
}

function isComposed(text) {
  return text === text.normalize("NFC");
}

function codeOf(letter) {
  return letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}
