"""What is refused about files of orders that are uploaded."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from supervisor.errors.base import ConsoleError


class FileTooLarge(ConsoleError):
    """More than is taken at once."""

    code = "file_too_large"
    field = "file"

    def __init__(self, most_megabytes: int) -> None:
        super().__init__(most_megabytes)
        self.most_megabytes = most_megabytes

    def __str__(self) -> str:
        return _(
            "The file is larger than %(count)s MB. Divide it into parts, and upload them one after the other."
        ) % {"count": self.most_megabytes}


class TooManyColumns(ConsoleError):
    """So many columns are no table that somebody wrote."""

    code = "too_many_columns"
    field = "separator"

    def __init__(self, count: int, most: int) -> None:
        super().__init__(count, most)
        self.count = count
        self.most = most

    def __str__(self) -> str:
        return ngettext(
            "With this separator the file has %(count)s column; at most %(most)s are taken.",
            "With this separator the file has %(count)s columns; at most %(most)s are taken.",
            self.count,
        ) % {"count": self.count, "most": self.most}


class FileGone(ConsoleError):
    """The file was deleted, as files are some days after they were uploaded."""

    code = "file_gone"

    def __str__(self) -> str:
        return _("The file is not kept any more. Upload it again.")


class FileOver(ConsoleError):
    """The file was imported, or is being imported, so that nothing about it changes."""

    code = "import_over"

    def __str__(self) -> str:
        return _("The import of this file has begun, so its columns stay as they are.")


class TrialUnderWay(ConsoleError):
    """A dry run of the file has not ended yet."""

    code = "trial_under_way"

    def __str__(self) -> str:
        return _("The dry run is under way. Wait until it has ended, or cancel it.")


class ImportBegun(ConsoleError):
    """The import was confirmed before, perhaps by somebody else at the same moment."""

    code = "import_begun"

    def __str__(self) -> str:
        return _("The import of this file has begun already.")


class ImportChanged(ConsoleError):
    """What was confirmed is not what would be done: columns or figures are others by now."""

    code = "import_changed"

    def __str__(self) -> str:
        return _("The dry run is another one by now. Look at what it says, then confirm.")
