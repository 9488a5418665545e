"""Letters in HTML are made from their plain text: what stands in the one stands in the other.

A letter's text is written so that it can be read as it is, and these signs give its parts away:

- a line that ends in “:” with an address of a page in the next line is a button, or a link if it is long;
- digits in a line of their own are a code to type;
- several lines “name: value” in a row are a small table;
- lines that begin with “- ” are a list;
- an empty line parts paragraphs, and within one every line stays a line.
"""

import re
from dataclasses import dataclass, field

ADDRESS = re.compile(r"https?://\S+")
CODE = re.compile(r"[0-9]{4,10}")
PAIR = re.compile(r"(?P<name>[^:]{1,60}): (?P<value>\S.*)")
ITEM = "- "
LAST_SENTENCE = re.compile(r"(?:.*[.!?]\s+)?(?P<sentence>.+):", re.DOTALL)
# What is longer reads badly on a button.
BUTTON_LENGTH = 48
# What mail programs show of a letter beside its subject.
PREHEADER_LENGTH = 140


@dataclass
class Block:
    """One part of a letter: `kind` is text, code, pairs, list, button or link.

    The first button stands out.
    """

    kind: str
    lines: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    label: str = ""
    address: str = ""
    is_first: bool = False


def letter_blocks(text: str) -> list[Block]:
    """The parts of a letter's text in their order."""
    blocks: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines: list[str] = []
        for line in paragraph.splitlines():
            if ADDRESS.fullmatch(line.strip()):
                _add_address(blocks, lines, line.strip())
                lines = []
            elif line.strip():
                lines.append(line.strip())
        _add_lines(blocks, lines)
    return blocks


def preheader(blocks: list[Block]) -> str:
    """The beginning of the letter, which mail programs show beside the subject."""
    first = next((" ".join(block.lines) for block in blocks if block.kind == "text"), "")
    if len(first) <= PREHEADER_LENGTH:
        return first
    return first[:PREHEADER_LENGTH].rsplit(" ", 1)[0] + "…"


def _add_address(blocks: list[Block], lines: list[str], address: str) -> None:
    """Add a link, named by the sentence before it, which is taken away from there."""
    before = lines
    if not before and blocks and blocks[-1].kind == "text":
        before = blocks[-1].lines
    label = ""
    named = LAST_SENTENCE.fullmatch(before[-1]) if before else None
    if named:
        label = named["sentence"].strip()
        before[-1] = before[-1][: named.start("sentence")].strip()
        if not before[-1]:
            before.pop()
    if before is lines:
        _add_lines(blocks, lines)
    elif not before:
        blocks.pop()
    kind = "button" if 0 < len(label) <= BUTTON_LENGTH else "link"
    is_first = kind == "button" and all(block.kind != "button" for block in blocks)
    blocks.append(Block(kind, label=label or address, address=address, is_first=is_first))


def _add_lines(blocks: list[Block], lines: list[str]) -> None:
    if not lines:
        return
    pairs = [PAIR.fullmatch(line) for line in lines]
    if len(lines) == 1 and CODE.fullmatch(lines[0]):
        blocks.append(Block("code", lines=lines))
    elif all(line.startswith(ITEM) for line in lines):
        blocks.append(Block("list", lines=[line.removeprefix(ITEM) for line in lines]))
    elif len(lines) > 1 and all(pairs):
        blocks.append(Block("pairs", pairs=[(pair["name"], pair["value"]) for pair in pairs if pair]))
    else:
        blocks.append(Block("text", lines=lines))
