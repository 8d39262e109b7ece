//! What kind of thing an issue is, and what a person should do about it.

/// Of which kind an issue of this code is: `ACCOUNT`, `CONNECTION`, `BRAKE`, `CONSENT`, `RECORD` or
/// `VALUE`.
pub(super) fn class(code: &str) -> &'static str {
    match code {
        "ACCOUNT_NEEDS_RECONNECTING" | "ACCOUNT_LACKS_RIGHTS" => "ACCOUNT",
        "APP_FAILED" | "RUN_CUT_OFF" | "SIDE_LOST" | "WEBHOOKS_SILENT" => "CONNECTION",
        "BRAKE" | "BRAKE_DELETIONS" | "BRAKE_CLEARS" | "BRAKE_CREATES" | "BRAKE_ONE_FIELD" => {
            "BRAKE"
        }
        "CONSENT_HELD_BACK" | "CONSENT_DID_NOT_STICK" => "CONSENT",
        "VALUE_CUT" | "UNKNOWN_OPTION" | "UNKNOWN_USER" | "WRONG_SHAPE" | "STORED_DIFFERENTLY"
        | "VALUE_REJECTED" | "REQUIRED_FIELD" => "VALUE",
        _ => "RECORD",
    }
}

/// What a person should do about an issue of this code; none where it only is to be known.
pub(super) fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "ACCOUNT_NEEDS_RECONNECTING" => {
            "The app accepts the credentials no more: reconnect the account."
        }
        "ACCOUNT_LACKS_RIGHTS" => {
            "The app lets the user who authorised the account not do this: give that \
             user the right, or reconnect with another."
        }
        "APP_FAILED" => {
            "The app answered what it should not, or can't do what it is asked: check \
             the account, then run again."
        }
        "RUN_CUT_OFF" => {
            "The process has ended five times or more while a run of this connection went on: look at its \
             memory and its log. It rests for longer each time, up to an hour; a run that is asked for begins \
             at once."
        }
        "SIDE_LOST" => {
            "Many linked records are gone at once, and nothing is written: look in \
             the app whether they were meant to be removed. If they were, cancel the \
             syncs and start them again: what to do about them is in the plan."
        }
        "BRAKE" | "BRAKE_DELETIONS" | "BRAKE_CLEARS" | "BRAKE_CREATES" | "BRAKE_ONE_FIELD" => {
            "More was to be written in a day than the brake lets through: look \
             whether it is meant. If it is, raise the limit by connectionUpdate (brake) and publish; else what \
             waits goes on as the day passes."
        }
        "WEBHOOKS_SILENT" => {
            "Records changed in the app and it told nothing: look whether its webhook is still there and \
             reaches this server, or register it again. Until then changes are found on schedule."
        }
        "GIVEN_UP" => {
            "It was tried too often: look at the record in the app that is written, \
             then change it on either side to have it tried again."
        }
        "DOUBT" => {
            "Nobody knows whether the record was made, and it has nothing to look for \
             it by: look in the app that is written, and make or remove it there."
        }
        "REFUSED" => {
            "The app refused it: mend the record or its mapping; it is tried again \
             when either changes."
        }
        "REQUIRED_FIELD_MISSING" | "REQUIRED_FIELD" => {
            "The app demands this field: fill it in the record, or map another one to \
             it."
        }
        "UNSETTLED" => {
            "The mapping goes round in circles on this record: look which entries \
             write what others read."
        }
        "CONFLICT" => "Both sides changed: make both the same, or choose a preferred side.",
        "AMBIGUOUS" => {
            "Several records could be its partner: merge those that are one person, \
             or take the shared address from one."
        }
        "DUPLICATE" => "Another record of its side is the same person: merge them in the app.",
        "VALUE_CUT" => "The field is too short for the value: map another one, or shorten it.",
        "UNKNOWN_OPTION" => {
            "Add the option in the app that is written, then check the account and publish a change of the \
             draft; or choose another value."
        }
        "UNKNOWN_USER" => {
            "Nobody there has the address of this owner: invite them, then check the account and publish a \
             change of the draft; or choose another owner."
        }
        "WRONG_SHAPE" => "The value does not fit the field: mend it, or map another field.",
        "VALUE_REJECTED" | "CONSENT_DID_NOT_STICK" => {
            "The app did not keep what was written: look at the field in the app."
        }
        "CONVERSION_HELD_BACK" => {
            "Several records are there that it may become, or one that has a partner \
             of its own: merge those that are one person in the app, or convert it there."
        }
        "CONSENT_HELD_BACK" => {
            "An opt-out does not reach this side: start the sync that writes it."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_or_waits_for_a_person_says_what_to_do() {
        let codes = [
            ("ACCOUNT_NEEDS_RECONNECTING", "ACCOUNT"),
            ("APP_FAILED", "CONNECTION"),
            ("RUN_CUT_OFF", "CONNECTION"),
            ("SIDE_LOST", "CONNECTION"),
            ("WEBHOOKS_SILENT", "CONNECTION"),
            ("BRAKE_CLEARS", "BRAKE"),
            ("GIVEN_UP", "RECORD"),
            ("DOUBT", "RECORD"),
            ("REFUSED", "RECORD"),
            ("CONFLICT", "RECORD"),
            ("AMBIGUOUS", "RECORD"),
        ];
        for (code, of_class) in codes {
            assert_eq!(class(code), of_class);
            assert!(advice(code).is_some(), "{code}");
        }
        assert_eq!(advice("STORED_DIFFERENTLY"), None, "it only is to be known");
    }
}
