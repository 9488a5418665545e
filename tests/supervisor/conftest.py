"""What the tests of the console share: files that a supervisor uploads."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from supervisor.models import ImportFile
from supervisor.services.imports import take_file
from tests.clock import NOON
from tests.supervisor.uploads import NUMBERED, try_out, work_on


@pytest.fixture
def files(settings, tmp_path) -> Path:
    """Where uploads of the test are kept."""
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def upload(sue, files) -> Callable[..., ImportFile]:
    """Uploads a text as a file."""

    def uploaded(
        content: str | bytes = NUMBERED, name: str = "orders.csv", at: datetime = NOON
    ) -> ImportFile:
        content = content.encode() if isinstance(content, str) else content
        return take_file(upload=SimpleUploadedFile(name, content), at=at, by=sue)

    return uploaded


@pytest.fixture
def tried(upload, sue) -> Callable[..., ImportFile]:
    """Uploads a text and tries it out, as if the worker had been there."""

    def after_its_trial(content: str | bytes = NUMBERED, **chosen: object) -> ImportFile:
        import_file = upload(content)
        work_on(try_out(import_file, sue, **chosen).dry_run)
        return ImportFile.objects.get(pk=import_file.pk)

    return after_its_trial
