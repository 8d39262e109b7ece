//! Zoho's data centres (zoho.com/crm/developer/docs/api/v8/multi-dc.html). Nothing is ever sent to a
//! host that is not in this table, whatever an answer says.

/// A data centre.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Centre {
    /// Its name in settings and in Zoho's `location`.
    pub(super) name: &'static str,
    /// Where tokens come from.
    pub(super) accounts: &'static str,
    /// Where the API is.
    pub(super) api: &'static str,
}

const fn centre(name: &'static str, accounts: &'static str, api: &'static str) -> Centre {
    Centre { name, accounts, api }
}

static CENTRES: [Centre; 9] = [
    centre("us", "https://accounts.zoho.com", "https://www.zohoapis.com"),
    centre("eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    centre("in", "https://accounts.zoho.in", "https://www.zohoapis.in"),
    centre("au", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    centre("jp", "https://accounts.zoho.jp", "https://www.zohoapis.jp"),
    centre("ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    centre("sa", "https://accounts.zoho.sa", "https://www.zohoapis.sa"),
    centre("uk", "https://accounts.zoho.uk", "https://www.zohoapis.uk"),
    centre("cn", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
];

/// The data centre of this name.
pub(super) fn named(name: &str) -> Option<&'static Centre> {
    CENTRES.iter().find(|centre| centre.name.eq_ignore_ascii_case(name))
}

/// The data centre whose tokens come from this address.
pub(super) fn with_accounts(accounts: &str) -> Option<&'static Centre> {
    CENTRES.iter().find(|centre| centre.accounts == accounts.trim_end_matches('/'))
}

/// The data centre whose API is at this address.
pub(super) fn at(api: &str) -> Option<&'static Centre> {
    CENTRES.iter().find(|centre| centre.api == api.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centre_is_found_by_name_and_by_its_servers_and_by_nothing_else() {
        assert_eq!(named("EU").unwrap().accounts, "https://accounts.zoho.eu");
        assert_eq!(at("https://www.zohoapis.com.au/").unwrap().name, "au");
        assert_eq!(at("https://www.zohoapis.com.evil.example"), None);
        assert_eq!(named("mars"), None);
        assert_eq!(with_accounts("https://accounts.zohocloud.ca").unwrap().name, "ca");
        assert_eq!(with_accounts("https://accounts.zoho.eu.evil.example"), None);
    }
}
