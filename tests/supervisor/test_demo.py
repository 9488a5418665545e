"""What the demo leaves for supervisors to do."""

import pytest

from accounts.models import AuditRecord, Member, User
from loyalty.models import RuleSet
from orders.demo.cast import ADA, BEN, SAM
from orders.demo.loading import load_demo
from supervisor.demo import fill_console
from supervisor.jobs import carry_out
from supervisor.models import Approval, Preview
from supervisor.services.approvals import decide
from tests.clock import NOON

THE_CAST = 0


@pytest.fixture
def demo(db) -> None:
    """The demo's cast and their two years, and the console on top."""
    load_demo(at=NOON, show=lambda done, total: None, members=THE_CAST)
    fill_console(at=NOON)


def test_a_correction_waits_for_the_second_supervisor(demo):
    approval = Approval.objects.get()
    ben = Member.objects.get(email=BEN.email)

    assert (approval.member, approval.points, approval.decided_at) == (ben, 3_000, None)

    sam = User.objects.get(email=SAM.email)
    decided = decide(approval=approval, is_approved=True, reason="Проверено", at=NOON, by=sam)

    assert decided.decision == Approval.Decision.APPROVED


def test_a_draft_has_a_preview_that_the_worker_computes(demo):
    preview = Preview.objects.get()

    assert preview.draft == RuleSet.objects.get(number=None)
    assert carry_out(preview.job_run_id) == "done"

    preview.refresh_from_db()
    assert preview.members_count == Member.objects.filter(is_sandbox=False).count()


def test_ada_sees_that_staff_looked_at_her_card(demo, client_of):
    ada = Member.objects.get(email=ADA.email)

    assert AuditRecord.objects.filter(member=ada, action=AuditRecord.Action.LOOKED_AT).count() == 1
    assert "Станислав" in client_of(ada).get("/looks/").content.decode()
