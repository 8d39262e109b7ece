//! What we may do in an organisation (zoho.com/crm/developer/docs/api/v8/scopes.html). What each is for is
//! in the README beside this file.

use crate::connectors::{Error, ErrorKind, Result};

/// What is asked for.
const ASKED: [&str; 9] = [
    "ZohoCRM.modules.contacts.ALL",
    "ZohoCRM.modules.leads.ALL",
    "ZohoCRM.settings.fields.READ",
    "ZohoCRM.settings.tags.ALL",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.notifications.ALL",
    "ZohoCRM.bulk.READ",
];

const ADVICE: &str = "Zoho did not give all permissions: generate the code with all scopes that the documentation of the \
     connector lists, or accept all that the consent page asks for, and connect again";

/// What an account may do without: it has no leads then, or is read by pages only.
const OPTIONAL: [&str; 2] = ["ZohoCRM.modules.leads.ALL", "ZohoCRM.bulk.READ"];

/// All of it, as a consent page is asked for it.
pub(super) fn asked() -> String {
    ASKED.join(",")
}

/// Refuses what was given if something is missing. Where Zoho does not say what it gave, the first
/// request that needs more will.
pub(super) fn check(given: Option<&str>) -> Result<()> {
    let Some(given) = given else { return Ok(()) };
    let given: Vec<&str> = given.split([' ', ',']).filter(|scope| !scope.is_empty()).collect();
    let is_given = |needed: &&str| given.iter().any(|scope| covers(scope, needed));
    if ASKED.iter().filter(|scope| !OPTIONAL.contains(scope)).all(is_given) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, "connect", "scope_missing").advise(ADVICE))
}

/// Whether one scope holds another: `ALL` holds whatever begins as it does.
fn covers(scope: &str, needed: &str) -> bool {
    let (scope, needed) = (scope.to_ascii_lowercase(), needed.to_ascii_lowercase());
    scope == needed
        || scope
            .strip_suffix("all")
            .is_some_and(|group| group.ends_with('.') && needed.starts_with(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_needed_has_to_be_given_by_name_or_with_its_group() {
        check(Some(&asked())).unwrap();
        check(Some(&asked().replace(',', " "))).unwrap();
        check(None).unwrap();
        let groups = "ZohoCRM.modules.ALL ZohoCRM.settings.ALL zohocrm.users.all ZohoCRM.org.READ,\
                      ZohoCRM.coql.READ ZohoCRM.notifications.ALL";
        check(Some(groups)).unwrap();
        for missing in ASKED.into_iter().filter(|scope| !OPTIONAL.contains(scope)) {
            let rest: Vec<&str> = ASKED.into_iter().filter(|scope| *scope != missing).collect();
            let error = check(Some(&rest.join(" "))).unwrap_err();
            assert_eq!(error.code, "scope_missing", "{missing}");
        }
        for missing in OPTIONAL {
            check(Some(&asked().replace(missing, ""))).unwrap();
        }
        let less = asked().replace("contacts.ALL", "contacts.READ");
        assert!(check(Some(&less)).is_err(), "reading alone is not enough");
        assert!(check(Some("")).is_err());
    }
}
