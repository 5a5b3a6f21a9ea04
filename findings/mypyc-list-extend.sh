#!/bin/sh
# If an iterator raises during `list.extend`, CPython keeps the items before the exception in the list. In a module
# compiled by mypyc, on Python 3.11 and 3.12, the list keeps none of them: compiled `list.extend` builds a tuple first.
# These items are lost, because the iterator has advanced. A loop that continues after the exception, as around
# `sent.extend(map(os.write, ...))`, then never ends. From 3.13 on, compiled code is expected to behave as CPython.
#
# Seen with mypy (mypyc) 2.4.1 and setuptools 80.9.0 on CPython 3.11.2.
#
# Needs python3 (3.11 or 3.12, or PYTHON names one) with venv and its headers, and a C compiler. Takes a minute, leaves
# nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0

cat > "$folder/taken.py" <<'PYTHON'
from typing import Iterable


def taken(numbers: Iterable[int]) -> list[int]:
    found: list[int] = []
    try:
        found.extend(numbers)
    except ValueError:
        pass
    return found
PYTHON

cat > "$folder/ask.py" <<'PYTHON'
from taken import __file__ as where, taken

print("interpreted" if where.endswith(".py") else "compiled", taken(map(int, ["1", "2", "three", "4"])))
PYTHON

cd "$folder"
interpreted=$(venv/bin/python ask.py)
venv/bin/mypyc taken.py > mypyc.log 2>&1 || { cat mypyc.log; exit 1; }
compiled=$(venv/bin/python ask.py)

found="$interpreted
$compiled"
expected="interpreted [1, 2]
compiled []"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
