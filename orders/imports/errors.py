"""What keeps a whole file from being imported, in words for the person who has it."""

from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.errors import OrderError


class ImportRefused(OrderError):
    """A file or a mapping that cannot be imported; nothing was changed.

    `setting` is the one of the mapping that is to blame, or nothing.
    """

    code = "import_refused"
    setting = ""

    @property
    def remedy(self) -> str:
        """What whoever calls the command does about it, if an option of its own helps."""
        return ""


class FileUnreadable(ImportRefused):
    """There is no such file, or it may not be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return _("%(path)s cannot be read: %(reason)s.") % {"path": self.path, "reason": self.reason}


class FileEmpty(ImportRefused):
    """There is nothing in the file, or nothing but its header."""

    def __str__(self) -> str:
        return _("There are no orders in this file.")


class NotText(ImportRefused):
    """A workbook, an archive, a picture."""

    def __str__(self) -> str:
        return _(
            "This is not a text file. "
            "If it is a spreadsheet, save it as CSV from the program it was made with."
        )


class WrongEncoding(ImportRefused):
    """The bytes of the file mean nothing in that encoding."""

    setting = "encoding"

    def __init__(self, encoding: str, row_number: int) -> None:
        super().__init__(encoding, row_number)
        self.encoding = encoding
        self.row_number = row_number

    def __str__(self) -> str:
        return _("After row %(row)s this file is not in the encoding %(encoding)s.") % {
            "row": self.row_number,
            "encoding": self.encoding,
        }

    @property
    def remedy(self) -> str:
        """Another encoding."""
        return _("Name the right one, such as --encoding cp1251 or --encoding utf-8.")


class WrongSeparator(ImportRefused):
    """Everything stands in one column."""

    setting = "separator"

    def __init__(self, first_row: str, guess: str | None) -> None:
        super().__init__(first_row, guess)
        self.first_row = first_row
        self.guess = guess

    def __str__(self) -> str:
        return _("With this separator the whole first row is one column: “%(row)s”.") % {
            "row": self.first_row
        }

    @property
    def remedy(self) -> str:
        """Another separator."""
        if self.guess:
            return _("Try --separator %(separator)s.") % {"separator": self.guess}
        return _("Name the right one with --separator: comma, semicolon, tab or whitespace.")


class BrokenTable(ImportRefused):
    """Quotes that do not close, or a cell or a line that never ends."""

    setting = "separator"

    def __init__(self, row_number: int) -> None:
        super().__init__(row_number)
        self.row_number = row_number

    def __str__(self) -> str:
        return _(
            "Row %(row)s does not end: look for a quotation mark that is not closed, "
            "or name another separator."
        ) % {"row": self.row_number}


class ColumnMissing(ImportRefused):
    """The mapping names a column that the file does not have."""

    def __init__(self, field: str, column: str, found: Sequence[str]) -> None:
        super().__init__(field, column, found)
        self.field = field
        self.column = column
        self.found = found

    def __str__(self) -> str:
        return _(
            "There is no column “%(column)s” for %(field)s. The columns of this file are: %(found)s."
        ) % {
            "column": self.column,
            "field": self.field,
            "found": ", ".join(self.found),
        }


class ColumnAmbiguous(ImportRefused):
    """The mapping names a column by what stands above two of them."""

    def __init__(self, field: str, column: str) -> None:
        super().__init__(field, column)
        self.field = field
        self.column = column

    def __str__(self) -> str:
        return _(
            "More than one column of this file is called “%(column)s”: for %(field)s, name one by its place."
        ) % {"column": self.column, "field": self.field}


class PositionMissing(ImportRefused):
    """The mapping counts to a column that the file does not have."""

    def __init__(self, field: str, position: int, columns_count: int) -> None:
        super().__init__(field, position, columns_count)
        self.field = field
        self.position = position
        self.columns_count = columns_count

    def __str__(self) -> str:
        return ngettext(
            "There is no column %(position)s for %(field)s: the file has %(count)s column.",
            "There is no column %(position)s for %(field)s: the file has %(count)s columns.",
            self.columns_count,
        ) % {"position": self.position, "field": self.field, "count": self.columns_count}


class MappingInvalid(ImportRefused):
    """A setting of the mapping that means nothing, or one that is missing."""

    def __init__(self, sentence: str, *, setting: str = "", remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.setting = setting
        self._remedy = remedy

    def __str__(self) -> str:
        return self.sentence

    @property
    def remedy(self) -> str:
        """The option that says it."""
        return self._remedy


class RowsRefused(ImportRefused):
    """Some rows cannot be taken, and it was not asked to leave them out."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count

    def __str__(self) -> str:
        return ngettext(
            "Nothing was imported, since %(count)s row cannot be taken.",
            "Nothing was imported, since %(count)s rows cannot be taken.",
            self.count,
        ) % {"count": self.count}

    @property
    def remedy(self) -> str:
        """To leave them out."""
        return ngettext(
            "Correct it, or take the others with --skip-bad-rows.",
            "Correct them, or take the others with --skip-bad-rows.",
            self.count,
        )


class AlreadyRunning(ImportRefused):
    """Two imports of one source at a time would make the same members twice."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.source = source

    def __str__(self) -> str:
        return _("Another import of “%(source)s” is running: wait until it is done, then try again.") % {
            "source": self.source
        }


class Interrupted(ImportRefused):
    """The database went away in the middle, or somebody else changed what the import relies on."""

    def __init__(self, orders_count: int) -> None:
        super().__init__(orders_count)
        self.orders_count = orders_count

    def __str__(self) -> str:
        return ngettext(
            "The import was interrupted after %(count)s new order, which stays. "
            "Run it again: it goes on where it stopped.",
            "The import was interrupted after %(count)s new orders, which stay. "
            "Run it again: it goes on where it stopped.",
            self.orders_count,
        ) % {"count": self.orders_count}
