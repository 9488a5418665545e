"""`manage.py audit_ledger`: checks every promise of the ledger over the whole database."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.queries.audit import Finding, every_check
from loyalty.services.audit import run_audit


class Command(BaseCommand):
    help = "Check every promise of the ledger over the whole database; the exit code is 1 when one is broken."

    def handle(self, **options: object) -> None:
        audit = run_audit(at=timezone.now(), checks=every_check(), report=self._tell)
        self.stdout.write(
            _("%(rows)s rows looked at in %(seconds)s seconds.")
            % {"rows": number_format(audit.rows_count), "seconds": number_format(audit.duration_seconds, 1)}
        )
        broken = sum(finding["found_count"] > 0 for finding in audit.findings)
        if broken:
            raise CommandError(
                ngettext("%(count)s promise is broken.", "%(count)s promises are broken.", broken)
                % {"count": broken}
            )
        self.stdout.write(self.style.SUCCESS(_("Every promise holds.")))

    def _tell(self, finding: Finding) -> None:
        check = finding.check
        if not finding.found_count:
            rows = number_format(finding.rows_count)
            self.stdout.write(f"{check.promise:<6}{self.style.SUCCESS('✓')} {rows:>12}  {check.sentence}")
            return
        found = ngettext("%(count)s row breaks this", "%(count)s rows break this", finding.found_count) % {
            "count": number_format(finding.found_count)
        }
        self.stdout.write(
            f"{check.promise:<6}{self.style.ERROR('✗')} {found}: {check.sentence} ({check.name})"
        )
        for row in finding.found_rows:
            self.stdout.write("       " + ", ".join(f"{column} {value}" for column, value in row.items()))
