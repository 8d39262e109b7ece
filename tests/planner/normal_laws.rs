//! Law 1: doing it twice changes nothing.

use concord::record::{Field, FieldType, PhoneFormat, Region, Value, name, normalise, phone};
use proptest::prelude::*;

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ +()0-9x.-]{0,24}",
        "(\\+|00)?[0-9 ]{3,16}( ?(x|ext\\.?) ?[0-9]{1,4})?",
        "[A-ZÀ-žß \\u{0}-\\u{20}ΣσςIİıſ]{0,12}",
    ]
}

proptest! {
    #![proptest_config(crate::same_each_time(20_000))]

    #[test]
    fn normalising_twice_is_normalising_once(text in any_text(), region in 0..4_usize) {
        let regions: [Option<Region>; 4] =
            [None, "ES".parse().ok(), "US".parse().ok(), "IT".parse().ok()];
        for kind in [FieldType::Text, FieldType::Email, FieldType::Phone, FieldType::Tag] {
            for many in [false, true] {
                let field = Field { many, ..Field::new("f", kind) };
                let value = Value::List(vec![Value::Text(text.clone()), Value::Text("b".into())]);
                let once = normalise(&value, &field, regions[region].as_ref());
                let twice = normalise(once.value(), &field, regions[region].as_ref());
                prop_assert_eq!(&once, &twice, "{:?} many {}", kind, many);
            }
        }
    }

    #[test]
    fn a_formatted_number_is_the_same_number(number in "[6-9][0-9]{8}") {
        let region: Region = "ES".parse().unwrap();
        let field = Field::new("f", FieldType::Phone);
        let normal = |text: String| normalise(&Value::Phone(text), &field, Some(&region));
        for format in [
            PhoneFormat::E164, PhoneFormat::International, PhoneFormat::National, PhoneFormat::AsIs,
        ] {
            let written = phone::format(&number, Some(&region), format);
            prop_assert_eq!(normal(number.clone()), normal(written));
        }
    }

    #[test]
    fn splitting_and_joining_a_name_gives_the_name(full in "[A-Za-zé]{1,6}( [A-Za-z]{1,6}){0,4}") {
        let parts = name::split(&full, &[]);
        prop_assert_eq!(name::join(&parts), full);
    }

    #[test]
    fn known_parts_survive_the_round(first in "[A-Za-z]{1,5}( [a-z]{1,4}){0,2}", last in "([a-z]{1,4} ){0,2}[A-Za-z]{1,5}") {
        let parts = name::Parts { first, last };
        prop_assert_eq!(name::split(&name::join(&parts), std::slice::from_ref(&parts)), parts);
    }
}
