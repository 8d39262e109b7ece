"""Zoho CRM's emulator, judged by the vendor's own SDK for version 8: every answer is taken by the
SDK's code and asserted of the objects that it makes.

Environment:
    EMULATOR_ADDRESS        where the emulator listens
    EMULATOR_CLIENT_ID      the client
    EMULATOR_CLIENT_SECRET  its secret
    EMULATOR_REFRESH_TOKEN  a refresh token of it
    EMULATOR_UNIQUE_FIELD   a text field of contacts whose values must be unique

Call                    What is asserted
----------------------  ----------------------------------------------------------------------------
code_grant              a code gives an access and a refresh token; it is good once
refresh_grant           a refresh token gives another access token each time, and stays
token_errors            wrong refresh tokens, secrets and clients are told by name, with status 200
find_user               the SDK's own look at who it is, by CurrentUser and the organisation
invalid_token           an unknown access token is INVALID_TOKEN, 401
current_user            one user: id, name, address, active and confirmed, role, profile, times
active_users            the same with counts; 204 for deleted ones; a wrong type is INVALID_DATA
org                     one organisation: zgid, name, edition, currency, size of a page
fields                  types, lengths, the mandatory and the unique field, choices, lookups, rights
create                  two records, 201: ids, times, by whom
create_mixed            207: one is made, three are refused, each by code, place and reason
create_refused          nothing was good: 400, still a verdict for the record
get                     a whole record: texts, a choice, a date, times, users, opt-out, no tags
get_unknown             204 for an id that is nobody's, INVALID_MODULE for such a module
update_one              what is sent changes, null clears, the rest stays
update_many             ids in the body: one is changed, an unknown one is INVALID_DATA, 207
references              an account and an owner by id, read back with names; unknown: refused
upsert                  an update and an insert in one call, with the field that told them apart
page_tokens             2,070 contacts by tokens: every id once, eleven pages, counts, tokens before
page_wall               2,000 by number, then DISCRETE_PAGINATION_LIMIT_EXCEEDED
page_token_rules        a token with other parameters, with a number beside it, or made up
list_needs_fields       no list of fields is REQUIRED_PARAM_MISSING
not_modified            304 without an object; and only what is newer, if something is
delete                  a success and an INVALID_DATA in one answer; alone, then once more
deleted_records         ids, names, kinds, times, by whom; by kind; 304 for the future
tags_of_a_module        made once per name (207 with DUPLICATE_DATA), listed
tags_of_a_record        added, added in place of all, taken away
tags_of_many            added and taken away for several ids at once; unknown ids by themselves
coql                    2,000 and the rest in order, owners by id only; 204; SYNTAX_ERROR
search                  by e-mail, phone, word and criteria; 204
notifications           opened with the expiry asked for, shown whole, conditions too
notification_rules      long token, no address, other module's id, over a week, no channel
notifications_changed   PUT drops what is left out, PATCH keeps it
notifications_closed    by their events, by their ids, an unknown one beside; then 204
"""

import http.client
import json
import os
import sys
import tempfile
import time
import traceback
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

# This file has the name of the SDK and must not be found in its stead.
HERE = Path(__file__).resolve().parent
sys.path = [folder for folder in sys.path if Path(folder).resolve() != HERE]

from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken  # noqa: E402
from zohocrmsdk.src.com.zoho.api.authenticator.store import TokenStore  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import coql as queries  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import fields as metadata  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import notifications as watch  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import org as organisation  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import record as records  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import tags as labels  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api import users as people  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api.users import MinifiedUser  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api.util import Choice  # noqa: E402

ADDRESS = os.environ["EMULATOR_ADDRESS"]
CLIENT_ID = os.environ["EMULATOR_CLIENT_ID"]
SECRET = os.environ["EMULATOR_CLIENT_SECRET"]
UNIQUE = os.environ["EMULATOR_UNIQUE_FIELD"]
#: So many contacts there are, once people have added theirs at the app's own screen.
ALL = 2_070
NOBODY = 5725767000000000001


class Keeper(TokenStore):
    """Remembers no token for the SDK, only which one was handed to it last."""

    saved = None

    def find_token(self, token):
        return None

    def find_token_by_id(self, id):
        return None

    def save_token(self, token):
        self.saved = token

    def get_tokens(self):
        return []

    def delete_token(self, id):
        pass

    def delete_tokens(self):
        pass


class House:
    """What the calls share: where the SDK keeps its files, and what earlier calls made."""

    def __init__(self, folder):
        self.folder = folder
        self.me = None
        self.fields = {}
        self.ana = None
        self.eva = None
        self.account = None
        self.made = set()
        self.crowd = []
        self.tag = None

    def enter(self, **options):
        """Makes the SDK act with a token, which it gets first if it has to."""
        options = {"client_id": CLIENT_ID, "client_secret": SECRET, "find_user": False} | options
        token = OAuthToken(**options)
        site = DataCenter.Environment(ADDRESS, f"{ADDRESS}/oauth/v2/token", ADDRESS)
        keeper = Keeper()
        Initializer.initialize(site, token, store=keeper, resource_path=self.folder)
        return keeper.saved


class Screen:
    """The app's own screen, on one connection."""

    def __init__(self):
        self.line = http.client.HTTPConnection(urlsplit(ADDRESS).netloc, timeout=10)

    def do(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        self.line.request(method, f"/_emulator/{path}", data)
        answer = self.line.getresponse()
        text = answer.read()
        assert answer.status < 300, f"{method} /_emulator/{path} is answered {answer.status}"
        return json.loads(text) if text else None


SCREEN = Screen()


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def recent(moment):
    gap = abs((datetime.now(timezone.utc) - moment).total_seconds())
    assert gap < 120, f"{moment} is not now"


def plain(value):
    return value.get_value() if isinstance(value, Choice) else value


def object_of(response, status, kind):
    """What the SDK made of an answer. Where it could make nothing of it, it gives no response."""
    assert response is not None, "the SDK could not read the answer"
    equal(response.get_status_code(), status)
    found = response.get_object()
    assert type(found) is kind, f"{found!r} is not {kind}"
    return found


def nothing(response, status):
    object_of(response, status, type(None))


def refusal(response, status, kind, code):
    """The exception in place of an answer; its details."""
    found = object_of(response, status, kind)
    equal((plain(found.get_code()), plain(found.get_status())), (code, "error"))
    return found.get_details()


def verdicts(items, kinds):
    """The codes in the verdicts on several items, which are of these kinds."""
    equal([type(item) for item in items], kinds)
    for item in items:
        is_good = plain(item.get_code()) == "SUCCESS"
        equal(plain(item.get_status()), "success" if is_good else "error")
    return [plain(item.get_code()) for item in items]


def params(**given):
    """Parameters of the SDK, by the name of each in its class."""
    kind = given.pop("of")
    found = ParameterMap()
    for name, value in given.items():
        found.add(getattr(kind, name), value)
    return found


def since(kind, moment):
    headers = HeaderMap()
    headers.add(kind.if_modified_since, moment)
    return headers


def contacts():
    return records.RecordOperations("Contacts")


def record(id=None, **values):
    made = records.Record()
    if id is not None:
        made.set_id(id)
    for name, value in values.items():
        made.add_key_value(name, value)
    return made


def body(*batch, duplicate_check_fields=None):
    wrapper = records.BodyWrapper()
    wrapper.set_data(list(batch))
    wrapper.set_trigger([])
    if duplicate_check_fields is not None:
        wrapper.set_duplicate_check_fields(duplicate_check_fields)
    return wrapper


DONE, REFUSED = records.SuccessResponse, records.APIException


def written(response, status, kinds):
    """The items in the answer to a write."""
    items = object_of(response, status, records.ActionWrapper).get_data()
    verdicts(items, kinds)
    return items


def make(house, **values):
    [item] = written(contacts().create_records(body(record(**values))), 201, [DONE])
    id = int(item.get_details()["id"])
    house.made.add(id)
    return id


def fetch(id):
    [found] = object_of(contacts().get_record(id), 200, records.ResponseWrapper).get_data()
    return found


def tag_names(id):
    return [tag.get_name() for tag in fetch(id).get_tag() or []]


# Tokens


def code_grant(house):
    code = SCREEN.do("GET", "code")["code"]
    token = house.enter(grant_token=code, redirect_url="https://x.example/cb")
    assert token.get_access_token() and token.get_refresh_token()
    assert 3500 < int(token.get_expires_in()) / 1000 - time.time() <= 3600, token.get_expires_in()
    equal(token.get_api_domain(), ADDRESS)
    object_of(organisation.OrgOperations().get_organization(), 200, organisation.ResponseWrapper)
    error = sdk_refusal(lambda: house.enter(grant_token=code, redirect_url="https://x.example/cb"))
    equal(error.error_message, "invalid_code")
    again = house.enter(refresh_token=token.get_refresh_token())
    assert again.get_access_token() != token.get_access_token()


def refresh_grant(house):
    given = os.environ["EMULATOR_REFRESH_TOKEN"]
    first, second = (house.enter(refresh_token=given) for _ in range(2))
    equal((first.get_refresh_token(), second.get_refresh_token()), (given, given))
    assert first.get_access_token() != second.get_access_token()
    house.enter(access_token=first.get_access_token())
    object_of(organisation.OrgOperations().get_organization(), 200, organisation.ResponseWrapper)
    house.enter(access_token=second.get_access_token())


def sdk_refusal(call):
    try:
        answer = call()
    except SDKException as error:
        return error
    raise AssertionError(f"a refusal was expected, not {answer!r}")


def token_errors(house):
    given = os.environ["EMULATOR_REFRESH_TOKEN"]
    wrong = [
        ({"refresh_token": "1000.none.none"}, "invalid_code"),
        ({"refresh_token": given, "client_secret": "none"}, "invalid_client_secret"),
        ({"refresh_token": given, "client_id": "1000.NONE"}, "invalid_client"),
        ({"grant_token": "1000.none.none"}, "invalid_code"),
    ]
    for options, expected in wrong:
        equal(sdk_refusal(lambda: house.enter(**options)).error_message, expected)


def find_user(house):
    given = os.environ["EMULATOR_REFRESH_TOKEN"]
    token = house.enter(refresh_token=given, find_user=True)
    zgid = org_of().get_zgid()
    equal(token.get_user_signature().get_name(), f"{me_of().get_email()}:{zgid}")


def invalid_token(house):
    given = Initializer.get_initializer().token.get_access_token()
    house.enter(access_token="1000.none.none")
    wanted = params(of=people.GetUsersParam, type="CurrentUser")
    answer = people.UsersOperations().get_users(wanted, HeaderMap())
    refusal(answer, 401, people.APIException, "INVALID_TOKEN")
    house.enter(access_token=given)


# The organisation and its fields


def users_of(kind):
    wanted = params(of=people.GetUsersParam, type=kind)
    return people.UsersOperations().get_users(wanted, HeaderMap())


def me_of():
    [found] = object_of(users_of("CurrentUser"), 200, people.ResponseWrapper).get_users()
    return found


def org_of():
    answer = organisation.OrgOperations().get_organization()
    [found] = object_of(answer, 200, organisation.ResponseWrapper).get_org()
    return found


def current_user(house):
    me = me_of()
    house.me = me.get_id()
    assert isinstance(house.me, int)
    assert "@" in me.get_email() and me.get_last_name() in me.get_full_name()
    equal((plain(me.get_status()), me.get_confirm()), ("active", True))
    assert me.get_role().get_name() and isinstance(me.get_role().get_id(), int)
    assert me.get_profile().get_name() and isinstance(me.get_profile().get_id(), int)
    assert me.get_time_zone() and me.get_zuid()
    assert me.get_created_time() <= me.get_modified_time()


def active_users(house):
    found = object_of(users_of("ActiveUsers"), 200, people.ResponseWrapper)
    assert house.me in [user.get_id() for user in found.get_users()]
    info = found.get_info()
    equal((info.get_count(), info.get_page()), (len(found.get_users()), 1))
    equal((info.get_per_page(), info.get_more_records()), (200, False))
    nothing(users_of("DeletedUsers"), 204)
    refusal(users_of("NobodysUsers"), 400, people.APIException, "INVALID_DATA")


def org(house):
    found = org_of()
    assert found.get_zgid().isdigit() and found.get_company_name()
    assert found.get_id().isdigit()
    equal((found.get_currency(), found.get_max_per_page()), ("EUR", 200))
    license = found.get_license_details()
    equal((license.get_paid(), license.get_paid_type()), (True, "standard"))
    assert license.get_users_license_purchased() > 0


def fields(house):
    wanted = params(of=metadata.GetFieldsParam, module="Contacts")
    answer = metadata.FieldsOperations().get_fields(wanted)
    found = object_of(answer, 200, metadata.ResponseWrapper).get_fields()
    house.fields = {field.get_api_name(): field for field in found}
    equal(len(house.fields), len(found))
    assert all(isinstance(field.get_id(), int) for field in found)
    types = {
        "id": ("bigint", "string", 18),
        "Last_Name": ("text", "string", 80),
        "Email": ("email", "string", 100),
        "Phone": ("phone", "string", 30),
        "Email_Opt_Out": ("boolean", "boolean", 5),
        "Owner": ("ownerlookup", "jsonobject", 120),
        "Account_Name": ("lookup", "jsonobject", 120),
        "Tag": ("text", "jsonarray", 2000),
        "Modified_Time": ("datetime", "string", 120),
    }
    for name, expected in types.items():
        field = house.fields[name]
        equal((field.get_data_type(), field.get_json_type(), field.get_length()), expected)
    mandatory = [name for name, field in house.fields.items() if field.get_system_mandatory()]
    equal(mandatory, ["Last_Name"])
    custom = [name for name, field in house.fields.items() if field.get_custom_field()]
    equal(custom, [UNIQUE])
    rights = house.fields["Modified_Time"].get_operation_type()
    equal((rights.get_api_create(), rights.get_api_update()), (False, False))
    rights = house.fields["Email"].get_operation_type()
    equal((rights.get_api_create(), rights.get_api_update()), (True, True))
    choices = house.fields["Lead_Source"].get_pick_list_values()
    assert "Trade Show" in [choice.get_actual_value() for choice in choices]
    assert len({choice.get_id() for choice in choices}) == len(choices)
    lookup = house.fields["Account_Name"].get_lookup()
    equal(lookup.get_module().get_api_name(), "Accounts")
    equal(house.fields["Email"].get_pick_list_values(), [])
    nowhere = params(of=metadata.GetFieldsParam, module="Nothing")
    answer = metadata.FieldsOperations().get_fields(nowhere)
    refusal(answer, 400, metadata.APIException, "INVALID_MODULE")


# Records


def create(house):
    ana = record(
        Last_Name="Díaz",
        First_Name="Ana",
        Email="ana@example.com",
        Phone="+34 600 123 456",
        Title="CTO",
        Email_Opt_Out=True,
        Lead_Source=Choice("Trade Show"),
        Date_of_Birth=date(1980, 1, 2),
    )
    eva = record(Last_Name="Soto", Email="eva@example.com")
    eva.add_key_value(UNIQUE, "C-1")
    items = written(contacts().create_records(body(ana, eva)), 201, [DONE, DONE])
    for item in items:
        details = item.get_details()
        equal(plain(item.get_message()), "record added")
        equal(details["Created_Time"], details["Modified_Time"])
        recent(details["Modified_Time"])
        equal((details["Created_By"].get_id(), details["Modified_By"].get_id()), (house.me,) * 2)
    house.ana, house.eva = (int(item.get_details()["id"]) for item in items)
    house.made |= {house.ana, house.eva}


def create_mixed(house):
    twin = record(Last_Name="Twin")
    twin.add_key_value(UNIQUE, "c-1")
    batch = [
        record(Last_Name="Good"),
        record(First_Name="No last name"),
        twin,
        record(Last_Name="Long", Phone="6" * 31),
    ]
    kinds = [DONE, REFUSED, REFUSED, REFUSED]
    good, nameless, twin, long = written(contacts().create_records(body(*batch)), 207, kinds)
    house.made.add(int(good.get_details()["id"]))
    equal(plain(nameless.get_code()), "MANDATORY_NOT_FOUND")
    expected = {"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"}
    equal(nameless.get_details(), expected)
    equal(plain(twin.get_code()), "DUPLICATE_DATA")
    details = twin.get_details()
    equal((details["api_name"], details["json_path"]), (UNIQUE, f"$.data[2].{UNIQUE}"))
    equal(int(details["id"]), house.eva)
    holder = details["duplicate_record"]
    equal((int(holder.get_id()), int(holder.get_owner().get_id())), (house.eva, house.me))
    equal(holder.get_module().get_api_name(), "Contacts")
    equal(plain(long.get_code()), "INVALID_DATA")
    details = long.get_details()
    equal((details["api_name"], int(details["maximum_length"])), ("Phone", 30))


def create_refused(house):
    answer = contacts().create_records(body(record(First_Name="No last name")))
    [item] = written(answer, 400, [REFUSED])
    equal(plain(item.get_message()), "required field not found")


def get(house):
    found = fetch(house.ana)
    equal(found.get_id(), house.ana)
    values = {name: plain(value) for name, value in found.get_key_values().items()}
    expected = {
        "Last_Name": "Díaz",
        "First_Name": "Ana",
        "Full_Name": "Ana Díaz",
        "Email": "ana@example.com",
        "Phone": "+34 600 123 456",
        "Title": "CTO",
        "Email_Opt_Out": True,
        "Lead_Source": "Trade Show",
        "Date_of_Birth": date(1980, 1, 2),
        "Mobile": None,
        "Account_Name": None,
        "$editable": True,
        "$approval_state": "approved",
    }
    equal({name: values[name] for name in expected}, expected)
    recent(found.get_created_time())
    equal(found.get_created_time(), found.get_modified_time())
    assert found.get_modified_time().utcoffset() is not None
    owner = values["Owner"]
    equal((type(owner), owner.get_id()), (MinifiedUser, house.me))
    assert owner.get_name() and "@" in owner.get_email()
    equal(found.get_created_by().get_id(), house.me)
    assert isinstance(values["Layout"].get_id(), int)
    equal(found.get_tag(), [])
    eva = fetch(house.eva)
    equal((eva.get_key_value(UNIQUE), eva.get_key_value("Email_Opt_Out")), ("C-1", False))


def get_unknown(house):
    nothing(contacts().get_record(NOBODY), 204)
    error = sdk_refusal(lambda: records.RecordOperations("Nothing").get_record(NOBODY))
    equal(error.details["code"], "INVALID_MODULE")


def update_one(house):
    before = fetch(house.ana)
    change = record(Last_Name="Ruiz", First_Name="Anna", Title=None)
    [item] = written(contacts().update_record(house.ana, body(change)), 200, [DONE])
    equal(plain(item.get_message()), "record updated")
    equal(int(item.get_details()["id"]), house.ana)
    after = fetch(house.ana)
    equal(after.get_key_value("Full_Name"), "Anna Ruiz")
    equal((after.get_key_value("Title"), after.get_key_value("Email")), (None, "ana@example.com"))
    equal(after.get_modified_time(), item.get_details()["Modified_Time"])
    equal(after.get_created_time(), before.get_created_time())


def update_many(house):
    batch = [
        record(house.ana, Department="Sales"),
        record(NOBODY, Department="Sales"),
        record(house.eva, Phone="no number at all"),
    ]
    kinds = [DONE, REFUSED, REFUSED]
    done, unknown, wrong = written(contacts().update_records(body(*batch)), 207, kinds)
    equal(int(done.get_details()["id"]), house.ana)
    equal(fetch(house.ana).get_key_value("Department"), "Sales")
    equal(plain(unknown.get_code()), "INVALID_DATA")
    equal(unknown.get_details()["json_path"], "$.data[1].id")
    equal(wrong.get_details()["expected_data_type"], "phone")


def references(house):
    accounts = records.RecordOperations("Accounts")
    answer = accounts.create_records(body(record(Account_Name="Acme")))
    [item] = written(answer, 201, [DONE])
    house.account = int(item.get_details()["id"])
    owner = MinifiedUser()
    owner.set_id(house.me)
    change = record(house.ana, Account_Name=record(house.account), Owner=owner)
    written(contacts().update_records(body(change)), 200, [DONE])
    found = fetch(house.ana)
    account = found.get_key_value("Account_Name")
    equal((account.get_id(), account.get_name()), (house.account, "Acme"))
    equal(found.get_key_value("Owner").get_id(), house.me)
    unknown = record(Last_Name="Lost", Account_Name=record(NOBODY))
    [item] = written(contacts().create_records(body(unknown)), 400, [REFUSED])
    equal(plain(item.get_code()), "INVALID_DATA")
    equal(item.get_details()["api_name"], "Account_Name")


def upsert(house):
    batch = [
        record(Last_Name="Soto", First_Name="Eva", Email="EVA@example.com"),
        record(Last_Name="Gil", Email="ida@example.com"),
    ]
    answer = contacts().upsert_records(body(*batch, duplicate_check_fields=["Email"]))
    known, new = written(answer, 200, [DONE, DONE])
    equal((plain(known.get_action()), known.get_duplicate_field()), ("update", "Email"))
    equal(int(known.get_details()["id"]), house.eva)
    equal(fetch(house.eva).get_key_value("First_Name"), "Eva")
    equal((plain(new.get_action()), new.get_duplicate_field()), ("insert", None))
    house.made.add(int(new.get_details()["id"]))
    by_code = record(Last_Name="Soto")
    by_code.add_key_value(UNIQUE, "C-1")
    [item] = written(contacts().upsert_records(body(by_code)), 200, [DONE])
    equal((plain(item.get_action()), item.get_duplicate_field()), ("update", UNIQUE))
    wrong = body(record(Last_Name="X"), duplicate_check_fields=["Title"])
    refusal(contacts().upsert_records(wrong), 400, REFUSED, "INVALID_DATA")


# Lists


def listed(**given):
    return contacts().get_records(params(of=records.GetRecordsParam, **given))


def page_tokens(house):
    for number in range(len(house.made), ALL):
        person = {"Last_Name": f"Person {number:04}", "Email": f"person{number:04}@example.org"}
        house.crowd.append(int(SCREEN.do("POST", "contacts", person)["id"]))
    house.made |= set(house.crowd)
    asked = {"fields": "Last_Name,Email,Owner,Modified_Time", "sort_order": "asc", "per_page": 200}
    ids, tokens = [], [None]
    while True:
        token = tokens[-1]
        answer = listed(**asked) if token is None else listed(**asked, page_token=token)
        found = object_of(answer, 200, records.ResponseWrapper)
        ids += [person.get_id() for person in found.get_data()]
        info = found.get_info()
        equal((info.get_page(), info.get_per_page()), (len(tokens), 200))
        equal((info.get_count(), info.get_sort_by()), (len(found.get_data()), "id"))
        # The first page has none, and so the second has none before it.
        equal(info.get_previous_page_token(), tokens[-2] if len(tokens) > 1 else None)
        if not info.get_more_records():
            break
        assert info.get_page_token_expiry() > datetime.now(timezone.utc)
        tokens.append(info.get_next_page_token())
    equal(info.get_next_page_token(), None)
    equal((len(tokens), len(ids)), (11, ALL))
    equal(ids, sorted(house.made))
    last = found.get_data()[-1]
    equal(last.get_key_value("Email"), f"person{ALL - 1:04}@example.org")
    equal(last.get_key_value("Owner").get_id(), house.me)
    assert "Phone" not in last.get_key_values()


def page_wall(house):
    found = object_of(listed(fields="Last_Name", page=10), 200, records.ResponseWrapper)
    equal((len(found.get_data()), found.get_info().get_more_records()), (200, True))
    newest = object_of(listed(fields="Last_Name", per_page=1), 200, records.ResponseWrapper)
    equal(newest.get_data()[0].get_id(), max(house.made))
    details = refusal(
        listed(fields="Last_Name", page=11), 400, REFUSED, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    )
    equal(details["limit"], 2000)


def page_token_rules(house):
    first = object_of(listed(fields="Last_Name", per_page=2), 200, records.ResponseWrapper)
    token = first.get_info().get_next_page_token()
    wrong = [
        ({"fields": "Email", "per_page": 2, "page_token": token}, "TOKEN_BOUND_DATA_MISMATCH"),
        ({"fields": "Last_Name", "per_page": 2, "page": 2, "page_token": token},
         "AMBIGUITY_DURING_PROCESSING"),
        ({"fields": "Last_Name", "per_page": 2, "page_token": "none"}, "INVALID_DATA"),
    ]
    for given, code in wrong:
        refusal(listed(**given), 400, REFUSED, code)


def list_needs_fields(house):
    details = refusal(listed(per_page=2), 400, REFUSED, "REQUIRED_PARAM_MISSING")
    equal(details["param_name"], "fields")


def not_modified(house):
    wanted = params(of=records.GetRecordsParam, fields="Last_Name,Modified_Time")
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    nothing(contacts().get_records(wanted, since(records.GetRecordsHeader, later)), 304)
    newest = max(fetch(id).get_modified_time() for id in (house.ana, house.eva, max(house.made)))
    # Times have no fraction: two seconds on, a write is newer than one second on.
    time.sleep(2)
    change = record(Title="CEO", Last_Name="Soto")
    written(contacts().update_record(house.eva, body(change)), 200, [DONE])
    mark = since(records.GetRecordsHeader, newest + timedelta(seconds=1))
    found = object_of(contacts().get_records(wanted, mark), 200, records.ResponseWrapper)
    equal([person.get_id() for person in found.get_data()], [house.eva])
    equal(found.get_info().get_count(), 1)
    one = contacts().get_record(house.eva, None, since(records.GetRecordHeader, later))
    nothing(one, 304)


# Deletions


def delete(house):
    first, second = make(house, Last_Name="Gone"), make(house, Last_Name="Away", First_Name="Far")
    wanted = params(of=records.DeleteRecordsParam, ids=f"{first},{NOBODY}", wf_trigger=False)
    done, unknown = written(contacts().delete_records(wanted), 207, [DONE, REFUSED])
    equal((plain(done.get_message()), int(done.get_details()["id"])), ("record deleted", first))
    equal(plain(unknown.get_code()), "INVALID_DATA")
    equal(int(unknown.get_details()["id"]), NOBODY)
    written(contacts().delete_record(second), 200, [DONE])
    written(contacts().delete_record(second), 400, [REFUSED])
    nothing(contacts().get_record(first), 204)
    house.made -= {first, second}


def deleted_records(house):
    def deleted(headers=None, **given):
        wanted = params(of=records.GetDeletedRecordsParam, **given)
        return contacts().get_deleted_records(wanted, headers or HeaderMap())

    found = object_of(deleted(type="all"), 200, records.DeletedRecordsWrapper)
    equal([entry.get_display_name() for entry in found.get_data()], ["Far Away", "Gone"])
    for entry in found.get_data():
        assert entry.get_id() not in house.made
        equal((entry.get_type(), entry.get_deleted_by().get_id()), ("recycle", house.me))
        equal(entry.get_created_by().get_id(), house.me)
        recent(entry.get_deleted_time())
    equal((found.get_info().get_count(), found.get_info().get_more_records()), (2, False))
    one = object_of(deleted(type="recycle", per_page=1), 200, records.DeletedRecordsWrapper)
    equal((len(one.get_data()), one.get_info().get_more_records()), (1, True))
    nothing(deleted(type="permanent"), 204)
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    nothing(deleted(since(records.GetDeletedRecordsHeader, later), type="all"), 304)
    earlier = datetime.now(timezone.utc) - timedelta(hours=1)
    answer = deleted(since(records.GetDeletedRecordsHeader, earlier), type="all")
    equal(len(object_of(answer, 200, records.DeletedRecordsWrapper).get_data()), 2)


# Tags


def tag(name):
    made = labels.Tag()
    made.set_name(name)
    return made


def new_tags(*names, ids=None, over_write=None):
    wrapper = labels.NewTagRequestWrapper()
    wrapper.set_tags([tag(name) for name in names])
    if ids is not None:
        wrapper.set_ids(ids)
    if over_write is not None:
        wrapper.set_over_write(over_write)
    return wrapper


def old_tags(*given, ids=None):
    wrapper = labels.ExistingTagRequestWrapper()
    tags = []
    for name_or_id in given:
        old = labels.ExistingTag()
        if isinstance(name_or_id, int):
            old.set_id(name_or_id)
        else:
            old.set_name(name_or_id)
        tags.append(old)
    wrapper.set_tags(tags)
    if ids is not None:
        wrapper.set_ids(ids)
    return wrapper


def tags_of_a_module(house):
    def create(*names):
        wrapper = labels.BodyWrapper()
        wrapper.set_tags([tag(name) for name in names])
        module = params(of=labels.CreateTagsParam, module="Contacts")
        return labels.TagsOperations().create_tags(wrapper, module)

    made = object_of(create("vip"), 201, labels.ActionWrapper).get_tags()
    verdicts(made, [labels.SuccessResponse])
    house.tag = made[0].get_details()["id"]
    recent(made[0].get_details()["created_time"])
    items = object_of(create("fair", "vip"), 207, labels.ActionWrapper).get_tags()
    codes = verdicts(items, [labels.SuccessResponse, labels.APIException])
    equal(codes, ["SUCCESS", "DUPLICATE_DATA"])
    wanted = params(of=labels.GetTagsParam, module="Contacts")
    found = object_of(labels.TagsOperations().get_tags(wanted), 200, labels.ResponseWrapper)
    equal([one.get_name() for one in found.get_tags()], ["vip", "fair"])
    equal((found.get_tags()[0].get_id(), found.get_tags()[0].get_color_code()), (house.tag, None))
    equal((found.get_info().get_count(), found.get_info().get_allowed_count()), (2, 200))


def tagged(answer):
    """The ids and the names of their tags in the answer to a change of tags."""
    found = object_of(answer, 200, labels.RecordActionWrapper)
    verdicts(found.get_data(), [labels.RecordSuccessResponse] * len(found.get_data()))
    details = [item.get_details() for item in found.get_data()]
    return [(each["id"], [one.get_name() for one in each["tags"]]) for each in details]


def tags_of_a_record(house):
    operations = labels.TagsOperations()
    answer = operations.add_tags("Contacts", house.ana, new_tags("vip", "new", over_write=False))
    equal(tagged(answer), [(house.ana, ["vip", "new"])])
    [vip, _] = fetch(house.ana).get_tag()
    equal((vip.get_name(), vip.get_id(), vip.get_color_code()), ("vip", house.tag, None))
    answer = operations.add_tags("Contacts", house.ana, new_tags("fair"))
    equal(tagged(answer), [(house.ana, ["vip", "new", "fair"])])
    answer = operations.remove_tags("Contacts", house.ana, old_tags("new"))
    equal(tagged(answer), [(house.ana, ["vip", "fair"])])
    answer = operations.remove_tags("Contacts", house.ana, old_tags(house.tag))
    equal(tagged(answer), [(house.ana, ["fair"])])
    answer = operations.add_tags("Contacts", house.ana, new_tags("only", over_write=True))
    equal(tagged(answer), [(house.ana, ["only"])])
    equal(tag_names(house.ana), ["only"])


def tags_of_many(house):
    operations = labels.TagsOperations()
    both = [house.ana, house.eva]
    answer = operations.add_tags_to_multiple_records("Contacts", new_tags("vip", ids=both))
    equal(tagged(answer), [(house.ana, ["only", "vip"]), (house.eva, ["vip"])])
    equal(int(answer.get_object().get_success_count()), 2)
    some = new_tags("late", ids=[NOBODY, house.eva])
    answer = operations.add_tags_to_multiple_records("Contacts", some)
    items = object_of(answer, 207, labels.RecordActionWrapper).get_data()
    codes = verdicts(items, [labels.APIException, labels.RecordSuccessResponse])
    equal(codes, ["INVALID_DATA", "SUCCESS"])
    answer = operations.remove_tags_from_multiple_records("Contacts", old_tags("vip", ids=both))
    equal(tagged(answer), [(house.ana, ["only"]), (house.eva, ["late"])])
    wanted = params(of=labels.RemoveTagsFromMultipleRecordsParam, ids=f"{house.eva}")
    answer = operations.remove_tags_from_multiple_records("Contacts", old_tags("late"), wanted)
    equal((tagged(answer), tag_names(house.eva)), ([(house.eva, [])], []))


# Queries


def select(query):
    wrapper = queries.BodyWrapper()
    wrapper.set_select_query(query)
    return queries.CoqlOperations().get_records(wrapper)


def coql(house):
    query = (
        "select Last_Name, Email, Owner from Contacts "
        "where (Email like '%@example.org' and (Last_Name is not null and Mobile is null)) "
        "order by id asc limit {}, 2000"
    )
    ids = []
    rest = len(house.crowd) - 2000
    for offset, size, is_more in [(0, 2000, True), (2000, rest, False)]:
        answer = select(query.format(offset))
        found = object_of(answer, 200, queries.ResponseWrapper)
        equal((found.get_info().get_count(), found.get_info().get_more_records()), (size, is_more))
        ids += [person.get_id() for person in found.get_data()]
    equal(ids, house.crowd)
    owner = found.get_data()[0].get_key_value("Owner")
    equal((list(owner), int(owner["id"])), (["id"], house.me))
    two = "select Email from Contacts where id in ('{}', '{}') order by Email desc limit 2"
    found = object_of(select(two.format(house.ana, house.eva)), 200, queries.ResponseWrapper)
    equal([one.get_id() for one in found.get_data()], [house.eva, house.ana])
    nothing(select("select Email from Contacts where Last_Name = 'Nobody'"), 204)
    refusal(select("selec Email from Contacts"), 400, queries.APIException, "SYNTAX_ERROR")


def search(house):
    def find(**given):
        return contacts().search_records(params(of=records.SearchRecordsParam, **given))

    either = "((Email:equals:ana@example.com)or(Email:equals:eva@example.com))"
    for given, expected in [
        ({"email": "ANA@example.com"}, [house.ana]),
        ({"phone": "+34600123456"}, [house.ana]),
        ({"word": "Ruiz"}, [house.ana]),
        ({"criteria": either, "per_page": 10}, [house.ana, house.eva]),
        ({"criteria": "(Last_Name:starts_with:Person 20)", "page": 2, "per_page": 20,
          "fields": "Last_Name"}, None),
    ]:
        found = object_of(find(**given), 200, records.ResponseWrapper)
        if expected is not None:
            equal([one.get_id() for one in found.get_data()], expected)
            equal(found.get_info().get_more_records(), False)
    equal((found.get_info().get_page(), found.get_info().get_count()), (2, 20))
    assert all("Email" not in one.get_key_values() for one in found.get_data())
    nothing(find(email="nobody@example.com"), 204)


# Notifications


def channel(id, **settings):
    made = watch.Notification()
    made.set_channel_id(id)
    for name, value in settings.items():
        getattr(made, f"set_{name}")(value)
    return made


def channels(*given):
    wrapper = watch.BodyWrapper()
    wrapper.set_watch(list(given))
    return wrapper


def opened(answer, status=200):
    """The events in the only verdict of an answer."""
    items = object_of(answer, status, watch.ActionWrapper).get_watch()
    verdicts(items, [watch.SuccessResponse])
    return items[0].get_details()["events"]


def shown(**given):
    wanted = params(of=watch.GetNotificationsParam, **given)
    answer = watch.NotificationsOperations().get_notifications(wanted)
    return object_of(answer, 200, watch.ResponseWrapper).get_watch()


def condition(house, module_id):
    module = watch.Module()
    module.set_api_name("Contacts")
    module.set_id(module_id)

    def member(name):
        field = watch.Field()
        field.set_api_name(name)
        field.set_id(house.fields[name].get_id())
        made = watch.Criteria()
        made.set_field(field)
        return made

    def group(*members):
        made = watch.Criteria()
        made.set_group_operator("or")
        made.set_group(list(members))
        return made

    made = watch.NotificationCondition()
    made.set_type("field_selection")
    made.set_module(module)
    made.set_field_selection(group(member("Email"), group(member("Phone"), member("Last_Name"))))
    return made


CHANNEL, OTHER = "1000000068001", "1000000068002"
URL = "https://hooks.example.com/zoho/secret?connection=1"


def notifications(house):
    operations = watch.NotificationsOperations()
    expiry = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=6)
    settings = {
        "events": ["Contacts.create", "Contacts.edit", "Contacts.delete"],
        "notify_url": URL,
        "token": "t" * 50,
        "channel_expiry": expiry,
        "notify_on_related_action": False,
        "return_affected_field_values": True,
    }
    [event] = opened(operations.enable_notifications(channels(channel(CHANNEL, **settings))), 201)
    equal((event.get_channel_id(), event.get_channel_expiry()), (CHANNEL, expiry))
    equal(event.get_resource_name(), "Contacts")
    [found] = shown(channel_id=int(CHANNEL))
    seen = {name: getattr(found, f"get_{name}")() for name in settings}
    equal(seen, settings)
    equal(found.get_resource_id(), event.get_resource_id())
    conditional = channel(
        OTHER,
        events=["Contacts.all"],
        notify_url=URL,
        notification_condition=[condition(house, int(event.get_resource_id()))],
    )
    [event] = opened(operations.enable_notifications(channels(conditional)), 201)
    hour = datetime.now(timezone.utc) + timedelta(hours=1)
    assert abs((event.get_channel_expiry() - hour).total_seconds()) < 60, "an hour by default"
    found = shown(module="Contacts")
    equal([one.get_channel_id() for one in found], [CHANNEL, OTHER])
    equal((found[0].get_notification_condition(), found[1].get_token()), (None, None))
    equal(found[1].get_notify_on_related_action(), True)
    [kept] = found[1].get_notification_condition()
    equal(kept.get_module().get_api_name(), "Contacts")
    either = kept.get_field_selection()
    equal((either.get_group_operator(), len(either.get_group())), ("or", 2))
    equal(either.get_group()[0].get_field().get_api_name(), "Email")


def notification_rules(house):
    operations = watch.NotificationsOperations()
    good = {"events": ["Contacts.all"], "notify_url": URL}
    wrong = [
        ({**good, "token": "t" * 51}, "INVALID_DATA"),
        ({"events": ["Contacts.all"]}, "MANDATORY_NOT_FOUND"),
        ({**good, "events": ["Contacts.explode"]}, "INVALID_DATA"),
        ({**good, "notification_condition": [condition(house, NOBODY)]},
         "AMBIGUITY_DURING_PROCESSING"),
    ]
    for settings, code in wrong:
        answer = operations.enable_notifications(channels(channel("1000000068003", **settings)))
        items = object_of(answer, 400, watch.ActionWrapper).get_watch()
        equal(verdicts(items, [watch.APIException]), [code])
    far = datetime.now(timezone.utc) + timedelta(days=8)
    long = channel("1000000068003", channel_expiry=far, **good)
    [event] = opened(operations.enable_notifications(channels(long)), 201)
    assert event.get_channel_expiry() < far - timedelta(days=7), "more than a week is an hour"
    answer = operations.update_notifications(channels(channel("1000000068009", **good)))
    items = object_of(answer, 400, watch.ActionWrapper).get_watch()
    equal(verdicts(items, [watch.APIException]), ["NOT_SUBSCRIBED"])


def notifications_changed(house):
    operations = watch.NotificationsOperations()
    expiry = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=5)
    new = {"events": ["Contacts.create", "Contacts.edit"], "notify_url": f"{URL}2"}
    replaced = channel(CHANNEL, channel_expiry=expiry, **new)
    [event] = opened(operations.update_notifications(channels(replaced)))
    equal((event.get_channel_id(), event.get_channel_expiry()), (CHANNEL, expiry))
    [found] = shown(channel_id=int(CHANNEL))
    equal((found.get_notify_url(), found.get_token()), (f"{URL}2", None))
    equal((found.get_events(), found.get_return_affected_field_values()), (new["events"], False))
    patched = channel(CHANNEL, token="new", events=new["events"])
    opened(operations.update_notification(channels(patched)))
    [found] = shown(channel_id=int(CHANNEL))
    equal((found.get_token(), found.get_notify_url()), ("new", f"{URL}2"))
    equal(found.get_channel_expiry(), expiry)


def notifications_closed(house):
    operations = watch.NotificationsOperations()

    def drop(*events):
        dropped = channel(CHANNEL, events=list(events), delete_events=True)
        answer = operations.disable_notification(channels(dropped))
        items = object_of(answer, 200, watch.ActionWrapper).get_watch()
        verdicts(items, [watch.SuccessResponse])

    drop("Contacts.create")
    equal(shown(channel_id=int(CHANNEL))[0].get_events(), ["Contacts.edit"])
    drop("Contacts.edit")
    wanted = params(of=watch.DeleteNotificationParam, channel_ids=f"{OTHER},{CHANNEL}")
    items = object_of(operations.delete_notification(wanted), 207, watch.ActionWrapper).get_watch()
    codes = verdicts(items, [watch.SuccessResponse, watch.APIException])
    equal(codes, ["SUCCESS", "NOT_SUBSCRIBED"])
    wanted = params(of=watch.DeleteNotificationParam, channel_ids="1000000068003")
    object_of(operations.delete_notification(wanted), 200, watch.ActionWrapper)
    nothing(operations.get_notifications(ParameterMap()), 204)


CALLS = [
    code_grant,
    refresh_grant,
    token_errors,
    find_user,
    invalid_token,
    current_user,
    active_users,
    org,
    fields,
    create,
    create_mixed,
    create_refused,
    get,
    get_unknown,
    update_one,
    update_many,
    references,
    upsert,
    page_tokens,
    page_wall,
    page_token_rules,
    list_needs_fields,
    not_modified,
    delete,
    deleted_records,
    tags_of_a_module,
    tags_of_a_record,
    tags_of_many,
    coql,
    search,
    notifications,
    notification_rules,
    notifications_changed,
    notifications_closed,
]


def main():
    with tempfile.TemporaryDirectory() as folder:
        house = House(folder)
        for call in CALLS:
            try:
                call(house)
            except Exception:
                traceback.print_exc()
                print(f"FAILED {call.__name__}", flush=True)
                return 1
            print(f"ok {call.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
