// Zoho CRM's emulator, judged by the vendor's SDK for Node.js, version 8: every answer is taken by the SDK's
// code, which asks for the metadata of modules by itself, and asserted of the objects that it makes.
//
// Environment: EMULATOR_ADDRESS, EMULATOR_CLIENT_ID, EMULATOR_CLIENT_SECRET, EMULATOR_REFRESH_TOKEN and
// EMULATOR_UNIQUE_FIELD, a text field of contacts whose values must be unique.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as SDK from "@zohocrm/nodejs-sdk-8.0";

const { EMULATOR_ADDRESS: ADDRESS, EMULATOR_UNIQUE_FIELD: UNIQUE } = process.env;
const NOBODY = 5725767000000000001n;
const CHANNEL = "1006800212";
const ID = /^\d{15,19}$/;

// Keeps the token of this process only.
class Keeper extends SDK.TokenStore.TokenStore {
    async findToken() {
        return null;
    }
    async findTokenById() {
        return null;
    }
    async saveToken(token) {
        this.saved = token;
    }
    async getTokens() {
        return [];
    }
    async deleteToken() {}
    async deleteTokens() {}
}

async function enter(folder) {
    const token = new SDK.OAuthBuilder()
        .clientId(process.env.EMULATOR_CLIENT_ID)
        .clientSecret(process.env.EMULATOR_CLIENT_SECRET)
        .refreshToken(process.env.EMULATOR_REFRESH_TOKEN)
        .findUser(false)
        .build();
    const site = new SDK.Environment(ADDRESS, `${ADDRESS}/oauth/v2/token`, ADDRESS);
    const builder = await new SDK.InitializeBuilder();
    const log = new SDK.LogBuilder().level(SDK.Levels.OFF).filePath(join(folder, "log")).build();
    const keeper = new Keeper();
    await builder.environment(site).token(token).store(keeper).resourcePath(folder).logger(log).initialize();
    return keeper;
}

const contacts = new SDK.Record.RecordOperations("Contacts");

function contact(values, id) {
    const record = new SDK.Record.Record();
    if (id !== undefined) {
        record.setId(BigInt(id));
    }
    for (const [name, value] of Object.entries(values)) {
        record.addKeyValue(name, value);
    }
    return record;
}

function body(...records) {
    const wrapper = new SDK.Record.BodyWrapper();
    wrapper.setData(records);
    return wrapper;
}

async function parameters(pairs) {
    const map = new SDK.ParameterMap();
    for (const [param, value] of pairs) {
        await map.add(param, value);
    }
    return map;
}

// What became of each record of a write: its code, its id if it has one, and what is told of it.
function verdicts(response, status) {
    assert.equal(response.getStatusCode(), status);
    return response.getObject().getData().map((verdict) => {
        const details = Object.fromEntries(verdict.getDetails());
        return { code: verdict.getCode().getValue(), id: String(details.id ?? ""), details };
    });
}

// The code of an answer that refuses the whole request.
function refusal(response, status) {
    assert.equal(response.getStatusCode(), status);
    return response.getObject().getCode().getValue();
}

function rows(response) {
    assert.equal(response.getStatusCode(), 200);
    return response.getObject().getData();
}

const known = {};

const checks = {
    async "a refresh token gives an access token that is good for an hour"({ keeper }) {
        await new SDK.Org.OrgOperations().getOrganization();
        assert.ok(keeper.saved.getAccessToken().length > 20);
        const left = Number(keeper.saved.getExpiresIn()) - Date.now();
        assert.ok(left > 50 * 60_000 && left <= 3_600_000, `${left} ms`);
    },

    async "there is one organisation"() {
        const response = await new SDK.Org.OrgOperations().getOrganization();
        const [org, ...others] = response.getObject().getOrg();
        assert.equal(others.length, 0);
        assert.match(org.getZgid(), /^\d+$/);
        assert.ok(org.getCompanyName());
    },

    async "who asks is a confirmed user with a role and a profile"() {
        const { GetUsersParam, UsersOperations } = SDK.Users;
        const map = await parameters([[GetUsersParam.TYPE, "CurrentUser"]]);
        const [me, ...others] = (await new UsersOperations().getUsers(map)).getObject().getUsers();
        assert.equal(others.length, 0);
        assert.match(String(me.getId()), ID);
        assert.match(me.getEmail(), /@/);
        assert.equal(me.getStatus(), "active");
        assert.ok(me.getRole().getName() && me.getProfile().getName());
    },

    async "contacts have a mandatory last name, an e-mail address, and a field with unique values"() {
        const { FieldsOperations, GetFieldsParam } = SDK.Fields;
        const map = await parameters([[GetFieldsParam.MODULE, "Contacts"]]);
        const fields = (await new FieldsOperations().getFields(map)).getObject().getFields();
        const named = (name) => fields.find((field) => field.getAPIName() === name);
        assert.equal(named("Last_Name").getSystemMandatory(), true);
        assert.equal(named("Email").getDataType(), "email");
        assert.equal(named("Email_Opt_Out").getDataType(), "boolean");
        assert.ok(named(UNIQUE).getUnique());
        assert.match(String(named("Last_Name").getId()), ID);
    },

    async "two contacts are made, with ids and times and by whom"() {
        const birthday = new Date("1981-02-03T00:00:00Z");
        const ana = contact({ Last_Name: "Ana", Email: "ana@example.com", Date_of_Birth: birthday });
        const eva = contact({ Last_Name: "Eva", [UNIQUE]: "E-1", Email_Opt_Out: true });
        const made = verdicts(await contacts.createRecords(body(ana, eva)), 201);
        assert.deepEqual(made.map((one) => one.code), ["SUCCESS", "SUCCESS"]);
        for (const { id, details } of made) {
            assert.match(id, ID);
            assert.ok(details.Created_Time instanceof Date || details.Created_Time);
            assert.ok(details.Created_By);
        }
        [known.ana, known.eva] = made.map((one) => one.id);
    },

    async "of several some are refused, each by code and place"() {
        const good = contact({ Last_Name: "Good" });
        const nameless = contact({ First_Name: "Nameless" });
        const double = contact({ Last_Name: "Double", [UNIQUE]: "E-1" });
        const mixed = verdicts(await contacts.createRecords(body(good, nameless, double)), 207);
        assert.deepEqual(mixed.map((one) => one.code), ["SUCCESS", "MANDATORY_NOT_FOUND", "DUPLICATE_DATA"]);
        assert.equal(mixed[1].details.api_name, "Last_Name");
        assert.equal(mixed[2].details.api_name, UNIQUE);
        known.good = mixed[0].id;
    },

    async "a record is read whole, in the types of its fields"() {
        const [ana] = rows(await contacts.getRecord(BigInt(known.ana)));
        assert.equal(String(ana.getId()), known.ana);
        assert.equal(ana.getKeyValue("Last_Name"), "Ana");
        assert.equal(ana.getKeyValue("Email"), "ana@example.com");
        assert.equal(ana.getKeyValue("Email_Opt_Out"), false);
        assert.ok(ana.getKeyValue("Date_of_Birth") instanceof Date);
        assert.ok(ana.getModifiedTime() instanceof Date);
        assert.match(String(ana.getKeyValue("Owner").getId()), ID);
    },

    async "who is nobody's is 204 without anything"() {
        const response = await contacts.getRecord(NOBODY);
        assert.equal(response.getStatusCode(), 204);
        assert.equal(response.getObject(), null);
    },

    async "what is sent changes, null clears, the rest stays; an unknown id is refused by itself"() {
        const change = contact({ Title: "Boss", Date_of_Birth: null }, known.ana);
        const nobody = contact({ Title: "Nobody" }, NOBODY);
        const changed = verdicts(await contacts.updateRecords(body(change, nobody)), 207);
        assert.deepEqual(changed.map((one) => one.code), ["SUCCESS", "INVALID_DATA"]);
        const [ana] = rows(await contacts.getRecord(BigInt(known.ana)));
        assert.equal(ana.getKeyValue("Title"), "Boss");
        assert.equal(ana.getKeyValue("Date_of_Birth"), null);
        assert.equal(ana.getKeyValue("Email"), "ana@example.com");
    },

    async "an upsert changes whom its field finds, and makes the others"() {
        const wrapper = body(
            contact({ Last_Name: "Eva", [UNIQUE]: "E-1", Title: "Found" }),
            contact({ Last_Name: "Ida", [UNIQUE]: "I-1" }),
        );
        wrapper.setDuplicateCheckFields([UNIQUE]);
        const response = await contacts.upsertRecords(wrapper);
        const actions = response.getObject().getData().map((verdict) => verdict.getAction().getValue());
        assert.deepEqual(actions, ["update", "insert"]);
        const [eva, ida] = verdicts(response, 200);
        assert.equal(eva.id, known.eva);
        known.ida = ida.id;
    },

    async "a listing has the fields that were asked for, and tells whether there is more"() {
        const { GetRecordsParam } = SDK.Record;
        const map = await parameters([
            [GetRecordsParam.FIELDS, "Last_Name,Modified_Time"],
            [GetRecordsParam.PER_PAGE, 2],
            [GetRecordsParam.SORT_BY, "id"],
            [GetRecordsParam.SORT_ORDER, "asc"],
        ]);
        const response = await contacts.getRecords(map);
        assert.deepEqual(rows(response).map((one) => one.getKeyValue("Last_Name")), ["Ana", "Eva"]);
        const info = response.getObject().getInfo();
        assert.equal(info.getMoreRecords(), true);
        assert.equal(info.getCount(), 2);
        assert.ok(info.getNextPageToken());
        const next = await parameters([
            [GetRecordsParam.FIELDS, "Last_Name,Modified_Time"],
            [GetRecordsParam.PER_PAGE, 2],
            [GetRecordsParam.SORT_BY, "id"],
            [GetRecordsParam.SORT_ORDER, "asc"],
            [GetRecordsParam.PAGE_TOKEN, info.getNextPageToken()],
        ]);
        const names = rows(await contacts.getRecords(next)).map((one) => one.getKeyValue("Last_Name"));
        assert.deepEqual(names, ["Good", "Ida"]);
    },

    async "a listing without fields is refused"() {
        assert.equal(refusal(await contacts.getRecords(), 400), "REQUIRED_PARAM_MISSING");
    },

    async "people are found by address, and nobody by another"() {
        const { SearchRecordsParam } = SDK.Record;
        const found = await contacts.searchRecords(await parameters([[SearchRecordsParam.EMAIL, "ana@example.com"]]));
        assert.deepEqual(rows(found).map((one) => String(one.getId())), [known.ana]);
        const nobody = await contacts.searchRecords(await parameters([[SearchRecordsParam.EMAIL, "no@example.com"]]));
        assert.equal(nobody.getStatusCode(), 204);
    },

    async "a query is answered with the columns that it names, and one that is none refused"() {
        const ask = async (words) => {
            const wrapper = new SDK.Coql.BodyWrapper();
            wrapper.setSelectQuery(words);
            return new SDK.Coql.CoqlOperations().getRecords(wrapper);
        };
        const found = rows(await ask("select Last_Name from Contacts where Email_Opt_Out = true limit 5"));
        assert.deepEqual(found.map((one) => one.getKeyValue("Last_Name")), ["Eva"]);
        assert.equal(refusal(await ask("select from Contacts"), 400), "SYNTAX_ERROR");
    },

    async "tags are added to a contact and taken away"() {
        const wrapper = new SDK.Tags.NewTagRequestWrapper();
        const tag = new SDK.Tags.Tag();
        tag.setName("Judged");
        wrapper.setTags([tag]);
        const tags = new SDK.Tags.TagsOperations();
        const added = await tags.addTags("Contacts", BigInt(known.ana), wrapper);
        assert.equal(verdicts(added, 200)[0].code, "SUCCESS");
        const names = async () => {
            const [ana] = rows(await contacts.getRecord(BigInt(known.ana)));
            return (ana.getTag() ?? []).map((one) => one.getName());
        };
        assert.deepEqual(await names(), ["Judged"]);
        const list = await tags.getTags(await parameters([[SDK.Tags.GetTagsParam.MODULE, "Contacts"]]));
        const listed = list.getObject().getTags().find((one) => one.getName() === "Judged");
        assert.match(String(listed.getId()), ID);
        const gone = new SDK.Tags.ExistingTagRequestWrapper();
        const existing = new SDK.Tags.ExistingTag();
        existing.setName("Judged");
        gone.setTags([existing]);
        assert.equal(verdicts(await tags.removeTags("Contacts", BigInt(known.ana), gone), 200)[0].code, "SUCCESS");
        assert.deepEqual(await names(), []);
    },

    async "who is deleted is listed as such, once"() {
        const { DeleteRecordsParam, GetDeletedRecordsParam } = SDK.Record;
        const ids = async () => parameters([[DeleteRecordsParam.IDS, known.ida]]);
        assert.equal(verdicts(await contacts.deleteRecords(await ids()), 200)[0].code, "SUCCESS");
        assert.equal(verdicts(await contacts.deleteRecords(await ids()), 400)[0].code, "INVALID_DATA");
        const map = await parameters([[GetDeletedRecordsParam.TYPE, "all"]]);
        const gone = (await contacts.getDeletedRecords(map)).getObject().getData();
        const [ida] = gone.filter((one) => String(one.getId()) === known.ida);
        assert.equal(ida.getDisplayName(), "Ida");
        assert.ok(ida.getDeletedTime() instanceof Date);
    },

    async "a channel is opened, shown and closed"() {
        const operations = new SDK.Notifications.NotificationsOperations();
        const notification = new SDK.Notifications.Notification();
        notification.setChannelId(CHANNEL);
        notification.setEvents(["Contacts.edit"]);
        notification.setNotifyUrl("https://sync.example.com/hooks");
        notification.setToken("judged");
        const wrapper = new SDK.Notifications.BodyWrapper();
        wrapper.setWatch([notification]);
        const opened = await operations.enableNotifications(wrapper);
        assert.equal(opened.getStatusCode(), 201);
        assert.equal(opened.getObject().getWatch()[0].getCode().getValue(), "SUCCESS");
        const { DeleteNotificationParam, GetNotificationsParam } = SDK.Notifications;
        const shown = await operations.getNotifications(
            await parameters([[GetNotificationsParam.CHANNEL_ID, CHANNEL]]),
        );
        const [watched] = shown.getObject().getWatch();
        assert.equal(watched.getNotifyUrl(), "https://sync.example.com/hooks");
        assert.ok(watched.getChannelExpiry() instanceof Date);
        const closed = await operations.deleteNotification(
            await parameters([[DeleteNotificationParam.CHANNEL_IDS, CHANNEL]]),
        );
        assert.equal(closed.getStatusCode(), 200);
        const after = await operations.getNotifications();
        assert.equal(after.getStatusCode(), 204);
    },
};

const folder = mkdtempSync(join(tmpdir(), "zoho-sdk-"));
let failed = 0;
try {
    const keeper = await enter(folder);
    for (const [name, check] of Object.entries(checks)) {
        try {
            await check({ keeper });
            console.log(`ok: ${name}`);
        } catch (error) {
            failed += 1;
            console.log(`FAILED: ${name}: ${error.stack ?? JSON.stringify(error)}`);
        }
    }
} finally {
    rmSync(folder, { recursive: true });
}
console.log(`${Object.keys(checks).length} checks, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
