import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse

from accounts.access import own_member, role_required
from accounts.errors import NoMember
from accounts.models import User
from accounts.roles import Role, is_staff_person, is_supervisor


@pytest.fixture
def request_of(rf):
    def request(user):
        request = rf.get("/members/?page=2")
        request.user = user
        return request

    return request


@role_required(Role.STAFF)
def look_up(request):
    return HttpResponse("members")


@role_required(Role.SUPERVISOR)
def rules(request):
    return HttpResponse("rules")


def test_own_member_is_the_member_of_the_login(ada, ben, request_of):
    assert own_member(request_of(ada.user)) == ada
    assert own_member(request_of(ben.user)) == ben


def test_own_member_of_nobody_is_not_found_with_a_sentence(stan, request_of, in_english):
    for user in (stan, AnonymousUser()):
        with pytest.raises(Http404) as refusal:
            own_member(request_of(user))
        assert isinstance(refusal.value, NoMember)
        assert str(refusal.value) == "This login is not a member of the programme."


def test_roles_supervisor_may_what_staff_may(ada, stan, sue):
    people = [ada.user, stan, sue, AnonymousUser()]

    assert [is_staff_person(person) for person in people] == [False, True, True, False]
    assert [is_supervisor(person) for person in people] == [False, False, True, False]


def test_roles_of_a_superuser_and_of_a_login_that_is_closed(db, sue):
    assert is_supervisor(User.objects.create_superuser("root@example.com", "pass phrase"))
    sue.is_active = False
    assert not is_staff_person(sue)


def test_roles_are_read_once_a_request(sue, django_assert_num_queries):
    sue = User.objects.get(pk=sue.pk)

    with django_assert_num_queries(1):
        assert is_supervisor(sue)
        assert is_staff_person(sue)


def test_role_required_opens_to_the_role_and_explains_itself_to_others(
    ada, stan, sue, request_of, in_english
):
    assert [view(request_of(sue)).content for view in (look_up, rules)] == [b"members", b"rules"]
    assert look_up(request_of(stan)).content == b"members"
    with pytest.raises(PermissionDenied, match="This page is for staff"):
        look_up(request_of(ada.user))
    with pytest.raises(PermissionDenied, match="This page is for supervisors"):
        rules(request_of(stan))


def test_role_required_sends_those_not_signed_in_to_sign_in_and_back(db, request_of):
    response = look_up(request_of(AnonymousUser()))

    assert response.status_code == 302
    assert response.url == "/accounts/login/?next=/members/%3Fpage%3D2"
