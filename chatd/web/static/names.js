// Display form of user names: makes invisible and lookalike characters visible, so that different names look different.

// Joiners that are legitimate: in an emoji sequence, and between Arabic letters.
const BELONGS = String.raw`\p{RGI_Emoji}|(?<=\p{sc=Arabic})\u200c(?=\p{sc=Arabic})`;
// Control, bidirectional and zero-width characters, and every space except a single one between words.
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?<=^|\s)\s|\s$|[\s--\x20]`;
const ANY_UNSEEN = new RegExp(UNSEEN, "v");
let odd = null; // compiled at first use: it lists thousands of emoji and takes a phone 0.2 s

// Compatibility letters that real names use: the ordinal in Mª, and jamo.
const IN_NAMES = /[ªº\p{sc=Hangul}]/u;
const LATIN = /\p{sc=Latin}/u;
const LIKE_LATIN = /[\p{sc=Cyrillic}\p{sc=Greek}\p{sc=Armenian}\p{sc=Cherokee}]/u;

/**
 * `name` with its code point in place of each invisible character ("ana\u200b" becomes "ana⟨200B⟩") and of each
 * lookalike letter ("jose\u0301" becomes "jose⟨0301⟩"; "jos\u00e9" is unchanged). In a word with Latin letters, letters
 * of scripts that look like Latin are marked too: the Cyrillic "\u0430" in "an\u0430".
 */
export function shownName(name) {
  const letters = uncomposed(name).replace(/\S+/g, withoutLookalikes);
  return withoutUnseen(letters, (unseen) => (unseen === " " ? "␣" : marked(unseen)));
}

/** The visible letters of `name`. */
export function seenLetters(name) {
  return withoutUnseen(name, () => " ").trim();
}

/** `name` with `shown(character)` for each invisible character, unless it is legitimate there. */
function withoutUnseen(name, shown) {
  if (!ANY_UNSEEN.test(name)) return name;
  odd ??= new RegExp(`(${BELONGS})|${UNSEEN}`, "gv");
  return name.replace(odd, (found, whole) => whole ?? shown(found));
}

// A letter in several code points, or in a compatibility one, looks like its NFC form.
function uncomposed(name) {
  if (isComposed(name)) return name;
  const letters = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(name)];
  return letters.map(({ segment }) => (isComposed(segment) ? segment : markedParts(segment))).join("");
}

function markedParts(letter) {
  return [...letter].map((part, at) => (at === 0 && isComposed(part) ? part : marked(part))).join("");
}

// Marks ligatures, wide and mathematical letters, and other scripts among Latin letters.
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
