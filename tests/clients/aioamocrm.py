"""Kommo's emulator, judged by the public client aioamocrm: every answer is taken by the client's
own code and asserted of the objects that it makes.

Environment:
    EMULATOR_ADDRESS        where the emulator listens
    EMULATOR_TOKEN          a long-lived token
    EMULATOR_CLIENT_ID      the integration
    EMULATOR_CLIENT_SECRET  its secret
Whoever serves the emulator also has to post its webhooks.

Call                    What is asserted
----------------------  ----------------------------------------------------------------------------
exchange_code           a code gives a pair of tokens for a day, and is good once
wrong_secret            the token endpoint refuses the integration with 400
refresh                 a refresh gives another pair, and the API takes the new access token
refresh_is_good_once    a spent refresh token is answered 401 and "revoked"; the new pair lives on
renewal_after_401       an access token that died is renewed by the client, and the call succeeds
wrong_token             an unknown bearer token is an AuthError with the problem's detail
account                 id, subdomain, currency, user; `with` adds the filter's switch
users                   two users with rights, one of them acting; one by id; none by a wrong id
custom_fields           the predefined fields by code, with the labels of phones and e-mails
custom_fields_in_pages  one field a page, three pages, found by the client's own walk
create_one              one reference with an id and the place as request_id
get                     names, owner, times, phones and e-mails with labels, a choice, a date, tags
create_in_batches       620 items in three requests, 620 ids, request_ids by place
batch_limit             251 items are refused with 422, and none is made
refused_items           a bad batch is a ValidationError by item and path, and nothing of it is made
pages                   250, 250 and 120 people, a next link on the first two; then nothing (204)
iterate_with_order      the client's walk over three pages, by time downwards and by id upwards
filters                 by ids, by name, and by time with both ends included
query                   a search by e-mail, by digits of a phone, and for nobody
update                  two at once: what is sent changes, the rest stays, lists are replaced
update_one              a single object by PATCH; null clears a field
update_unknown          an unknown id is a ValidationError at `id`
unknown_id              a contact that is not there is 204, which the client takes for NotFoundError
unknown_route           a path that is not there is 404
tags                    made once per name, listed, replaced, added and taken away on a contact
empty_lists             companies and leads of an account without any
webhooks                made, listed, found by destination, deleted; deleted twice is 404
webhook_bodies          creation, change and deletion as the client's form parser reads them
rate_limit              a burst without pauses gets 429, and passes with the client's retries
"""

import asyncio
import dataclasses
import json
import os
import queue
import sys
import threading
import time
import traceback
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

# This file has the name of the client and must not be found in its stead.
HERE = Path(__file__).resolve().parent
sys.path = [folder for folder in sys.path if Path(folder).resolve() != HERE]

from aioamocrm import (  # noqa: E402
    AmoCRMClient,
    AuthError,
    Contact,
    CustomField,
    CustomFieldValue,
    EntityRef,
    LongLivedToken,
    MemoryTokenStorage,
    NotFoundError,
    OAuth2,
    RateLimitError,
    RateLimiter,
    RetryPolicy,
    Tag,
    TokenEndpoint,
    ValidationError,
    parse_webhook,
)

ADDRESS = os.environ["EMULATOR_ADDRESS"]
REDIRECT_URI = "https://x.example/cb"
ACCOUNT_ID = 12345678
CROWD = 620
#: When the contacts of the large batch are said to have been updated, one second apart.
EPOCH = 1_500_000_000


class House:
    """What the calls share: clients, and what earlier calls made."""

    def __init__(self):
        # Below the limit of seven, so that what is late on its way does not make an eighth.
        self.limiter = RateLimiter(5)
        self.storage = MemoryTokenStorage()
        self.auth = oauth(self.storage)
        self.client = self.open(self.auth)
        self.spent = None
        self.me = None
        self.colleague = None
        self.fields = {}
        self.first = None
        self.crowd = []

    def open(self, auth):
        return AmoCRMClient(base_url=ADDRESS, auth=auth, rate_limit=self.limiter)

    @property
    def contacts(self):
        return self.client.contacts


def oauth(storage, secret=None):
    secret = secret or os.environ["EMULATOR_CLIENT_SECRET"]
    return OAuth2(os.environ["EMULATOR_CLIENT_ID"], secret, REDIRECT_URI, storage)


def screen(method, path, body=None):
    """Does something at the app's own screen."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ADDRESS}/_emulator/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def code():
    return screen("GET", "code")["code"]


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


async def refusal(kind, call, status):
    """The error that a call raises."""
    try:
        answer = await call
    except kind as error:
        equal((type(error), error.status_code), (kind, status))
        return error
    raise AssertionError(f"{kind.__name__} was expected, not {answer!r}")


async def collect(walk):
    return [item async for item in walk]


# Tokens


async def exchange_code(house):
    grant = code()
    tokens = await house.client.exchange_code(grant)
    equal(tokens.token_type, "Bearer")
    equal(len(tokens.access_token.split(".")), 3)
    assert abs(tokens.expires_at - time.time() - 86_400) < 60, tokens.expires_at
    equal(await house.storage.load(), tokens)
    await refusal(AuthError, house.client.exchange_code(grant), 400)


async def wrong_secret(house):
    async with house.open(oauth(MemoryTokenStorage(), "not-the-secret")) as client:
        await refusal(AuthError, client.exchange_code(code()), 400)


async def refresh(house):
    house.spent = await house.storage.load()
    endpoint = TokenEndpoint(http=house.client.http, url=house.client.token_url)
    tokens = await house.auth.refresh(endpoint)
    assert tokens.access_token != house.spent.access_token
    assert tokens.refresh_token != house.spent.refresh_token
    equal(await house.storage.load(), tokens)
    equal((await house.client.account.get()).id, ACCOUNT_ID)


async def refresh_is_good_once(house):
    stale = dataclasses.replace(house.spent, expires_at=0)
    async with house.open(oauth(MemoryTokenStorage(stale))) as client:
        error = await refusal(AuthError, client.account.get(), 401)
    equal(error.body["hint"], "Token has been revoked")
    equal((await house.client.account.get()).id, ACCOUNT_ID)


async def renewal_after_401(house):
    before = await house.storage.load()
    screen("POST", "faults", {"method": "GET", "path": "/api/v4/account", "kind": "token_expired"})
    equal((await house.client.account.get()).id, ACCOUNT_ID)
    after = await house.storage.load()
    assert after.access_token != before.access_token, "nothing was renewed"


async def wrong_token(house):
    async with house.open(LongLivedToken("a.b.c")) as client:
        error = await refusal(AuthError, client.account.get(), 401)
    equal((error.title, error.detail), ("Unauthorized", "Invalid user name or password"))


# The account


async def account(house):
    async with house.open(LongLivedToken(os.environ["EMULATOR_TOKEN"])) as client:
        found = await client.account.get(with_=["is_api_filter_enabled"])
    equal((found.id, found.subdomain, found.currency), (ACCOUNT_ID, "demo", "EUR"))
    equal(found.model_extra["is_api_filter_enabled"], True)
    plain = await house.client.account.get()
    equal(plain.current_user_id, found.current_user_id)
    assert "is_api_filter_enabled" not in plain.model_extra
    house.me = found.current_user_id


async def users(house):
    page = await house.client.users.get_page(with_=["role", "group"])
    equal((len(page), page.number, page.has_next), (2, 1, False))
    by_id = {user.id: user for user in page}
    assert house.me in by_id, by_id
    for user in page:
        assert "@" in user.email and user.name and user.lang, user
        equal((user.rights["is_admin"], user.rights["is_active"]), (True, True))
        equal(user.rights["contacts"]["view"], "A")
    [house.colleague] = [id for id in by_id if id != house.me]
    one = await house.client.users.get(house.colleague)
    equal(one.email, by_id[house.colleague].email)
    await refusal(NotFoundError, house.client.users.get(1), 204)


async def custom_fields(house):
    created = await house.client.request(
        "POST",
        "contacts/custom_fields",
        json=[
            {"name": "Birthday", "type": "date", "code": "BIRTHDAY"},
            {"name": "Size", "type": "select", "enums": [{"value": "S"}, {"value": "L"}]},
        ],
    )
    made = [CustomField.model_validate(item) for item in created["_embedded"]["custom_fields"]]
    equal([field.type for field in made], ["date", "select"])
    fields = await collect(house.contacts.custom_fields.iterate(order={"sort": "asc"}))
    equal([field.id for field in fields][-2:], [field.id for field in made])
    house.fields = {field.code or field.name: field for field in fields}
    phone, email, position = (house.fields[key] for key in ("PHONE", "EMAIL", "POSITION"))
    equal((phone.type, email.type, position.type), ("multitext", "multitext", "text"))
    labels = ["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"]
    equal([label.value for label in phone.enums], labels)
    equal([label.value for label in email.enums], ["WORK", "PRIV", "OTHER"])
    equal((position.enums, position.is_predefined, position.is_deletable), (None, True, False))
    assert isinstance(phone.enum_id("MOB"), int)
    assert all(field.entity_type == "contacts" for field in fields)
    equal([choice.value for choice in house.fields["Size"].enums], ["S", "L"])


async def custom_fields_in_pages(house):
    walk = house.contacts.custom_fields.iterate(limit=1, filter={"type": ["multitext", "text"]})
    equal([field.code for field in await collect(walk)], ["PHONE", "EMAIL", "POSITION"])


# Contacts


def ana(house):
    contact = Contact(
        name="Ana Díaz",
        first_name="Ana",
        last_name="Díaz",
        responsible_user_id=house.colleague,
    )
    contact.set_field(
        "PHONE",
        CustomFieldValue(value="+34 600 123 456", enum_code="MOB"),
        CustomFieldValue(value="+34 910 000 001", enum_code="WORK"),
    )
    contact.set_field("EMAIL", "ana@example.com", enum_code="PRIV")
    contact.set_field("POSITION", "CTO")
    contact.set_field(house.fields["Size"].id, "L")
    contact.set_field("BIRTHDAY", 500_000_000)
    contact.embedded.tags = [Tag(name="vip"), Tag(name="fair")]
    return contact


async def create_one(house):
    [made] = await house.contacts.create([ana(house)])
    assert isinstance(made.id, int)
    equal(made.request_id, "0")
    equal(made.links["self"]["href"], f"{ADDRESS}/api/v4/contacts/{made.id}")
    house.first = made.id


async def get(house):
    found = await house.contacts.get(house.first, with_=["leads"])
    equal((found.id, found.name), (house.first, "Ana Díaz"))
    equal((found.first_name, found.last_name), ("Ana", "Díaz"))
    equal((found.responsible_user_id, found.account_id), (house.colleague, ACCOUNT_ID))
    equal((found.created_by, found.updated_by), (house.me, house.me))
    equal((found.is_deleted, found.is_unsorted, found.closest_task_at), (False, False, None))
    equal(found.created_at, found.updated_at)
    assert abs(found.created_at - time.time()) < 60, found.created_at
    equal(found.field_values("PHONE"), ["+34 600 123 456", "+34 910 000 001"])
    equal(found.field_value("phone", enum_code="WORK"), "+34 910 000 001")
    mobile = found.field("PHONE").values[0]
    equal((mobile.enum_id, mobile.enum_code), (house.fields["PHONE"].enum_id("MOB"), "MOB"))
    equal(found.field_value("EMAIL", enum_code="PRIV"), "ana@example.com")
    equal(found.field_value("POSITION"), "CTO")
    size = found.field(house.fields["Size"].id)
    equal((size.field_type, size.field_name, size.values[0].value), ("select", "Size", "L"))
    equal(size.values[0].enum_id, house.fields["Size"].enum_id("L"))
    equal(found.field_value("BIRTHDAY"), 500_000_000)
    equal([tag.name for tag in found.embedded.tags], ["vip", "fair"])
    equal((found.embedded.companies, found.embedded.leads), ([], []))


async def create_in_batches(house):
    people = [
        Contact(
            name=f"Person {number:03}",
            first_name="Person",
            last_name=f"{number:03}",
            updated_at=EPOCH + number,
        )
        for number in range(CROWD)
    ]
    made = await house.contacts.create(people, batch_size=250)
    house.crowd = [reference.id for reference in made]
    equal(len(set(house.crowd)), CROWD)
    places = [str(place) for size in (250, 250, 120) for place in range(size)]
    equal([reference.request_id for reference in made], places)


async def batch_limit(house):
    many = [{"name": "Too many"} for _ in range(251)]
    error = await refusal(
        ValidationError, house.client.request("POST", "contacts", json=many), 422
    )
    equal(error.title, "Unprocessable Entity")
    equal(len(await house.contacts.get_page(filter={"name": ["Too many"]})), 0)


async def refused_items(house):
    items = [
        {"name": "Refused"},
        {"name": "Refused", "responsible_user_id": 1, "request_id": "second"},
        {"name": "Refused", "custom_fields_values": [{"field_id": 1, "values": [{"value": "x"}]}]},
        {"name": 7},
    ]
    error = await refusal(ValidationError, house.contacts.create(items), 400)
    equal((error.batch_offset, error.completed), (0, []))
    equal(
        [(issue.request_id, issue.code, issue.path) for issue in error.errors],
        [
            ("second", "NotSupportedChoice", "responsible_user_id"),
            ("2", "NotSupportedChoice", "custom_fields_values.0.field_id"),
            ("3", "InvalidType", "name"),
        ],
    )
    assert all(issue.detail for issue in error.errors)
    equal(len(await house.contacts.get_page(filter={"name": ["Refused"]})), 0)


OF_CROWD = {"updated_at": {"from": EPOCH, "to": EPOCH + CROWD - 1}}


async def pages(house):
    sizes = []
    for number in range(1, 5):
        page = await house.contacts.get_page(number, limit=250, filter=OF_CROWD)
        sizes.append((page.number, len(page), page.has_next))
        assert page.next_url is None or f"page={number + 1}" in page.next_url, page.next_url
    equal(sizes, [(1, 250, True), (2, 250, True), (3, 120, False), (4, 0, False)])


async def iterate_with_order(house):
    newest_first = house.contacts.iterate(filter=OF_CROWD, order={"updated_at": "desc"})
    equal([contact.id for contact in await collect(newest_first)], house.crowd[::-1])
    by_id = house.contacts.iterate(filter=OF_CROWD, order={"id": "asc"}, with_="leads")
    found = await collect(by_id)
    equal([contact.id for contact in found], sorted(house.crowd))
    assert all("leads" in contact.embedded.model_fields_set for contact in found), "page 2 lost it"


async def filters(house):
    asked = house.crowd[3:6]
    by_ids = await collect(house.contacts.iterate(filter={"id": asked}))
    equal([contact.id for contact in by_ids], asked)
    by_name = await collect(house.contacts.iterate(filter={"name": ["Person 007", "Nobody"]}))
    equal([contact.id for contact in by_name], [house.crowd[7]])
    bounds = {"updated_at": {"from": EPOCH + 10, "to": EPOCH + 12}}
    by_time = await collect(house.contacts.iterate(filter=bounds))
    equal([contact.updated_at for contact in by_time], [EPOCH + 10, EPOCH + 11, EPOCH + 12])


async def query(house):
    async def search(text):
        return [contact.id for contact in await collect(house.contacts.iterate(query=text))]

    equal(await search("ANA@example.com"), [house.first])
    equal(await search("600 123"), [house.first])
    equal(await search("nobody@example.com"), [])


async def update(house):
    changed = Contact(id=house.first, last_name="Ruiz", name="Ana Ruiz")
    changed.set_field("PHONE", "+34 600 999 999", enum_code="HOME")
    other = {"id": house.crowd[0], "responsible_user_id": house.colleague}
    answers = await house.contacts.update([changed, other])
    equal([answer.id for answer in answers], [house.first, house.crowd[0]])
    assert abs(answers[1].updated_at - time.time()) < 60, answers[1].updated_at
    equal(answers[0].model_extra["name"], "Ana Ruiz")
    found = await house.contacts.get(house.first)
    equal((found.name, found.first_name, found.last_name), ("Ana Ruiz", "Ana", "Ruiz"))
    equal(found.field_values("PHONE"), ["+34 600 999 999"])
    equal(found.field("PHONE").values[0].enum_code, "HOME")
    equal(found.field_values("EMAIL"), ["ana@example.com"])
    equal([tag.name for tag in found.embedded.tags], ["vip", "fair"])
    equal(found.updated_at, answers[0].updated_at)
    equal((await house.contacts.get(house.crowd[0])).responsible_user_id, house.colleague)


async def update_one(house):
    body = {"custom_fields_values": [{"field_code": "POSITION", "values": None}]}
    answer = await house.client.request("PATCH", f"contacts/{house.first}", json=body)
    reference = EntityRef.model_validate(answer)
    found = await house.contacts.get(house.first)
    equal((reference.id, reference.updated_at), (house.first, found.updated_at))
    equal((found.field("POSITION"), found.name), (None, "Ana Ruiz"))


async def update_unknown(house):
    error = await refusal(ValidationError, house.contacts.update([{"id": 1, "name": "X"}]), 400)
    equal([(issue.request_id, issue.path) for issue in error.errors], [("0", "id")])


async def unknown_id(house):
    await refusal(NotFoundError, house.contacts.get(1), 204)


async def unknown_route(house):
    error = await refusal(NotFoundError, house.client.request("GET", "xyz"), 404)
    equal(error.detail, "Cannot GET /api/v4/xyz")


async def tags(house):
    async def make(*names):
        body = [{"name": name} for name in names]
        answer = await house.client.request("POST", "contacts/tags", json=body)
        return [Tag.model_validate(item) for item in answer["_embedded"]["tags"]]

    async def names():
        found = await house.contacts.get(house.first)
        return [tag.name for tag in found.embedded.tags]

    new, known = await make("new", "vip")
    equal((await make("new"))[0].id, new.id)
    listed = await house.client.request("GET", "contacts/tags", params={"filter": {"name": "vip"}})
    found = [Tag.model_validate(item) for item in listed["_embedded"]["tags"]]
    equal([(tag.id, tag.name, tag.color) for tag in found], [(known.id, "vip", None)])
    unknown = {"query": "nothing like it"}
    equal(await house.client.request("GET", "contacts/tags", params=unknown), None)
    changes = {"tags_to_add": [{"name": "late"}], "tags_to_delete": [{"id": known.id}]}
    await house.contacts.update([{"id": house.first, **changes}])
    equal(await names(), ["fair", "late"])
    replacing = Contact(id=house.first)
    replacing.embedded.tags = [Tag(id=new.id), Tag(name="fair")]
    await house.contacts.update([replacing])
    equal(await names(), ["new", "fair"])
    await house.contacts.update([{"id": house.first, "_embedded": {"tags": None}}])
    equal(await names(), [])


async def empty_lists(house):
    equal(await collect(house.client.companies.iterate()), [])
    equal(await collect(house.client.leads.iterate(with_="contacts")), [])
    await refusal(NotFoundError, house.client.request("GET", "companies/1"), 404)


# Webhooks


async def webhooks(house):
    destination = "https://hooks.example.com/kommo/secret"
    settings = ["add_contact", "update_contact"]
    body = {"destination": destination, "settings": settings, "sort": 10}
    made = await house.client.request("POST", "webhooks", json=body)
    equal((made["destination"], made["settings"]), (destination, settings))
    equal((made["disabled"], made["account_id"]), (False, ACCOUNT_ID))
    listed = await house.client.request("GET", "webhooks")
    equal([hook["id"] for hook in listed["_embedded"]["webhooks"]], [made["id"]])
    other = {"filter": {"destination": "https://hooks.example.com/other"}}
    equal(await house.client.request("GET", "webhooks", params=other), None)
    gone = {"destination": destination}
    equal(await house.client.request("DELETE", "webhooks", json=gone), None)
    await refusal(NotFoundError, house.client.request("DELETE", "webhooks", json=gone), 404)
    equal(await house.client.request("GET", "webhooks"), None)


class Ear:
    """A server that keeps the webhooks posted to it."""

    def __init__(self):
        heard = self.heard = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", "0"))
                heard.put((self.headers.get("Content-Type"), self.rfile.read(length)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/kommo/secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    async def event(self):
        """The one event of the next webhook."""
        try:
            kind, body = await asyncio.to_thread(self.heard.get, timeout=20)
        except queue.Empty:
            raise AssertionError("no webhook came: somebody has to post them") from None
        assert kind.startswith("application/x-www-form-urlencoded"), kind
        webhook = parse_webhook(body)
        equal((webhook.subdomain, webhook.account_id), ("demo", ACCOUNT_ID))
        [event] = webhook.events
        equal((event.entity, event.payload["type"]), ("contacts", "contact"))
        return event


async def webhook_bodies(house):
    ear = Ear()
    settings = ["add_contact", "update_contact", "delete_contact"]
    hook = {"destination": ear.address, "settings": settings}
    await house.client.request("POST", "webhooks", json=hook)
    person = Contact(name="Eva Soto")
    person.set_field(
        "PHONE", {"value": "600", "enum_code": "MOB"}, {"value": "700", "enum_code": "HOME"}
    )
    person.set_field("EMAIL", "eva@example.com")
    person.embedded.tags = [Tag(name="fair")]
    id = screen("POST", "contacts", person.to_api())["id"]
    event = await ear.event()
    equal((event.action, event.id, event.payload["name"]), ("add", id, "Eva Soto"))
    equal(event.payload["created_user_id"], str(house.colleague))
    equal(event.field_values("PHONE"), ["600", "700"])
    equal(event.field_value(house.fields["EMAIL"].id), "eva@example.com")
    [phone] = [field for field in event.custom_fields if field["code"] == "PHONE"]
    equal(phone["values"][0]["enum"], str(house.fields["PHONE"].enum_id("MOB")))
    equal([tag["name"] for tag in event.payload["tags"]], ["fair"])
    await house.contacts.update([{"id": id, "responsible_user_id": house.me, "name": "Eva Gil"}])
    event = await ear.event()
    equal((event.action, event.id, event.payload["name"]), ("update", id, "Eva Gil"))
    equal(event.payload["modified_user_id"], str(house.me))
    assert event.payload["last_modified"].isdigit()
    screen("DELETE", f"contacts/{id}")
    event = await ear.event()
    equal((event.action, event.id), ("delete", id))
    await refusal(NotFoundError, house.contacts.get(id), 204)
    await house.client.request("DELETE", "webhooks", json={"destination": ear.address})
    ear.server.shutdown()


# Limits


async def rate_limit(house):
    token = LongLivedToken(os.environ["EMULATOR_TOKEN"])

    async def burst(retry):
        options = {"rate_limit": None, "retry": retry}
        async with AmoCRMClient(base_url=ADDRESS, auth=token, **options) as client:
            calls = (client.account.get() for _ in range(12))
            return await asyncio.gather(*calls, return_exceptions=True)

    answers = await burst(RetryPolicy(max_attempts=1))
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert refused, "twelve at once went through"
    assert all(type(error) is RateLimitError for error in refused), refused
    equal((refused[0].status_code, refused[0].body["status"]), (429, 429))
    patient = RetryPolicy(max_attempts=6, backoff_base=1.0, backoff_max=2.0)
    equal({answer.id for answer in await burst(patient)}, {ACCOUNT_ID})


CALLS = [
    exchange_code,
    wrong_secret,
    refresh,
    refresh_is_good_once,
    renewal_after_401,
    wrong_token,
    account,
    users,
    custom_fields,
    custom_fields_in_pages,
    create_one,
    get,
    create_in_batches,
    batch_limit,
    refused_items,
    pages,
    iterate_with_order,
    filters,
    query,
    update,
    update_one,
    update_unknown,
    unknown_id,
    unknown_route,
    tags,
    empty_lists,
    webhooks,
    webhook_bodies,
    rate_limit,
]


async def main():
    house = House()
    async with house.client:
        for call in CALLS:
            try:
                await call(house)
            except Exception:
                traceback.print_exc()
                print(f"FAILED {call.__name__}", flush=True)
                return 1
            print(f"ok {call.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
