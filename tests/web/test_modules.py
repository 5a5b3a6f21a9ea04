"""Bundling of modules: each runs once, after its imports, with its own scope."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from chatd.web.modules import bundled, kept_apart

FILES = {
    "main.js": b"""\
// The first lines are no import.
import { Counter, LIMIT } from "./counter.js";
import { said, say } from "./say.js";

const name = "main";
for (let n = 0; n <= LIMIT; n++) Counter.shared.add();
say(`${name} ${Counter.shared.value}`);
later().then((word) => console.log([...said, word].join(", ")));

async function later() {
  const { later } = await Promise.resolve({ later: "later" });
  return later;
}
""",
    "counter.js": b"""\
import { say } from "./say.js";

const name = "counter";
export const LIMIT = 2;

export class Counter {
  static shared = new Counter();
  value = 0;

  add() {
    this.value++;
  }
}
say(name);
""",
    "say.js": b"""\
import { sep } from "./others.min.js";
const name = sep;
export const said = [];
export function say(word) {
  said.push(word + name);
}
export async function* unused() {}
""",
}


def run(folder: Path, files: Mapping[str, bytes]) -> str:
    """The output of Node.js for `main.js` in the folder."""
    for name, text in files.items():
        (folder / name).write_bytes(text)
    (folder / "package.json").write_text('{"type": "module"}')
    return subprocess.run(["node", "main.js"], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    others = {"others.min.js": b'var s="!";export{s as sep};'}
    (tmp_path / "apart").mkdir()
    (tmp_path / "joined").mkdir()
    apart = run(tmp_path / "apart", {**FILES, **others})
    assert apart == "counter!, main 3!, later\n"
    assert run(tmp_path / "joined", {"main.js": bundled("main.js", FILES), **others}) == apart


def test_third_party_modules_stay_separate_files() -> None:
    assert kept_apart("main.js", FILES) == ["others.min.js"]
    assert bundled("main.js", FILES).startswith(b'import { sep } from "./others.min.js";\n')


@pytest.mark.parametrize(
    "text",
    [
        b"export let count = 0;\n",
        b"export default 1;\n",
        b"const a = 1;\nexport { a };\n",
        b'import * as say from "./say.js";\n',
        b'import {\n  say,\n} from "./say.js";\n',
        b'import { say as speak } from "./say.js";\n',
        b'export { say } from "./say.js";\n',
    ],
)
def test_an_unsupported_import_or_export_form_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"main\.js has a form that cannot be joined: (import|export)"):
        bundled("main.js", {**FILES, "main.js": text})


COMMENTED = b"""\
/** One line. */
const address = "https://chat.example/*"; // a note
// a line
  /**
   * Several, with ** and / in them.
   */
const [product, pattern] = [6 / 2, /x*/];
console.log(address, product, pattern.source);
"""


def test_a_bundle_has_no_comments_and_keeps_what_only_looks_like_one(tmp_path: Path) -> None:
    joined = bundled("main.js", {"main.js": COMMENTED})
    for words in (b"One line", b"a line", b"Several", b"in them"):
        assert words not in joined
    assert run(tmp_path, {"main.js": joined}) == "https://chat.example/* 3 x*\n"


def test_a_template_literal_of_several_lines_is_refused() -> None:
    """A line of its text could look like a comment."""
    with pytest.raises(ValueError, match=r"main\.js has a template literal of several lines"):
        bundled("main.js", {"main.js": b"const text = `\n// kept\n`;\n"})


def test_modules_that_import_each_other_are_refused() -> None:
    circle = {"a.js": b'import { b } from "./b.js";\nexport const a = 1;\n', "b.js": b'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match=r"a\.js -> b\.js -> a\.js"):
        bundled("a.js", circle)
