#!/usr/bin/env python3
"""Writes common-passwords.txt from the package files named in README.md.

Usage: build.py FOLDER, where FOLDER holds the three files as the package clients save them.
"""

import ast
import gzip
import io
import json
import pathlib
import sys
import tarfile
import unicodedata
import zipfile

# The policy refuses shorter passwords anyway (`PasswordPolicy::MIN_FLOOR`), so listing them is of no use.
SHORTEST = 8


def only(folder, pattern):
    """The one file of the folder that fits the pattern."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder}: want exactly one {pattern}, found {len(found)}")
    return found[0]


def django(folder):
    with zipfile.ZipFile(only(folder, "django-*.whl")) as wheel:
        packed = wheel.read("django/contrib/auth/common-passwords.txt.gz")
    return gzip.decompress(packed).decode().splitlines()


def zxcvbn(folder):
    with zipfile.ZipFile(only(folder, "zxcvbn-4*.whl")) as wheel:
        source = wheel.read("zxcvbn/frequency_lists.py").decode()
    # A literal behind one assignment: evaluated as data, never run.
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign):
            lists = statement.value
            for key, value in zip(lists.keys, lists.values):
                if key.value == "passwords":
                    # "a,b,c".split(","); ast.walk also finds the separator, which is shorter.
                    texts = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant)]
                    return max(texts, key=len).split(",")
    sys.exit("zxcvbn/frequency_lists.py has another shape than expected")


def zxcvbn_ts(folder):
    with tarfile.open(only(folder, "zxcvbn-ts-language-common-*.tgz")) as package:
        return json.load(io.TextIOWrapper(package.extractfile("package/src/passwords.json")))


def fold(password):
    """The form that candidates are compared in: NFKC, each character in lower case."""
    return "".join(character.lower() for character in unicodedata.normalize("NFKC", password))


def main():
    folder = pathlib.Path(sys.argv[1])
    passwords = {
        fold(password.strip())
        for source in (django, zxcvbn, zxcvbn_ts)
        for password in source(folder)
    }
    # What is not ASCII in these lists is text in a broken encoding.
    kept = sorted(password for password in passwords if password.isascii() and len(password) >= SHORTEST)
    target = pathlib.Path(__file__).with_name("common-passwords.txt")
    target.write_text("\n".join(kept) + "\n", encoding="ascii", newline="\n")
    print(f"{len(kept)} passwords")


main()
