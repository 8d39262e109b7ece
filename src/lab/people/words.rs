//! The words that people are made of.

/// Where somebody lives, as far as it shows.
#[derive(Clone, Copy, Default)]
pub(super) struct Tongue {
    pub(super) first_names: &'static [&'static str],
    pub(super) last_names: &'static [&'static str],
    pub(super) cities: &'static [&'static str],
    pub(super) titles: &'static [&'static str],
    pub(super) host: &'static str,
    pub(super) work: Lines,
    pub(super) mobile: Lines,
}

/// Where phone numbers are taken from: the country's code, the area's, and the first line.
#[derive(Clone, Copy, Default)]
pub(super) struct Lines {
    pub(super) country: &'static str,
    pub(super) area: &'static str,
    pub(super) first: u32,
}

pub(super) static GERMAN_MOBILES: Lines = Lines { country: "49", area: "151", first: 20_000_000 };

pub(super) static TONGUES: [Tongue; 4] = [
    Tongue {
        first_names: &["Jürgen", "Anke", "Sören", "Käthe", "Matthias", "Ulrike", "Bernd", "Heike"],
        last_names: &["Müller", "Schäfer", "Böhm", "Krause", "Vogel", "Lindner", "Brandt"],
        cities: &["Köln", "München", "Leipzig", "Lübeck", "Bremen"],
        titles: &["Einkaufsleiterin", "Geschäftsführer", "Prokurist", "Werkleiter"],
        host: "nordwind.example",
        work: Lines { country: "49", area: "30", first: 20_000_000 },
        mobile: GERMAN_MOBILES,
    },
    Tongue {
        first_names: &["Lucía", "José", "Begoña", "Andrés", "Inés", "Martín", "Noelia", "Óscar"],
        last_names: &["Núñez", "García Soto", "Ibáñez", "Peña", "Castro", "Vidal", "Romero"],
        cities: &["Málaga", "A Coruña", "Vigo", "Cádiz", "Logroño"],
        titles: &["Directora de ventas", "Jefe de compras", "Técnica", "Administradora"],
        host: "alcazar.example",
        work: Lines { country: "34", area: "91", first: 2_000_000 },
        mobile: Lines { country: "34", area: "61", first: 2_000_000 },
    },
    Tongue {
        first_names: &["Hélène", "François", "Zoé", "Benoît", "Maëlle", "Thierry", "Gaëtan"],
        last_names: &["Lefèvre", "Dubois", "Crépin", "Moreau", "Garçon", "Roux", "Bérenger"],
        cities: &["Orléans", "Lyon", "Besançon", "Nîmes", "Saint-Étienne"],
        titles: &["Cheffe de projet", "Gérant", "Acheteuse", "Ingénieur d'affaires"],
        host: "lumiere.example",
        work: Lines { country: "33", area: "1", first: 42_000_000 },
        mobile: Lines { country: "33", area: "6", first: 12_000_000 },
    },
    Tongue {
        first_names: &["Zofia", "Tomasz", "Agnieszka", "Jędrzej", "Grażyna", "Marek", "Kinga"],
        last_names: &["Nowak", "Zieliński", "Wójcik", "Gałązka", "Mazur", "Król", "Dąbek"],
        cities: &["Kraków", "Gdańsk", "Łódź", "Poznań", "Toruń"],
        titles: &["Kierownik działu", "Księgowa", "Specjalista", "Właścicielka"],
        host: "bursztyn.example",
        work: Lines { country: "48", area: "22", first: 2_000_000 },
        mobile: Lines { country: "48", area: "50", first: 2_000_000 },
    },
];

/// First and last names in other scripts: one with its accents as characters of their own, one with
/// a picture in it.
pub(super) static NON_LATIN: [(&str, &str); 5] = [
    ("Дмитрий", "Соколов"),
    ("\u{391}\u{301}ννα", "Παπαδοπου\u{301}λου"),
    ("ليلى", "الحداد"),
    ("秀英", "陈"),
    ("Олена 🌻", "Шевченко"),
];

pub(super) static TAGS: [&str; 8] =
    ["vip", "newsletter", "partner", "fair 2026", "supplier", "press", "alumni", "trial"];

/// The users of both apps: name and e-mail address.
pub(super) static USERS: [(&str, &str); 3] = [
    ("Ana Prieto", "ana@demo.example"),
    ("Ben Okafor", "ben@demo.example"),
    ("Eva Lindt", "eva@demo.example"),
];

/// What somebody typed where the number goes.
pub(super) const NO_NUMBER: &str = "call after six, ext. twenty-two";

/// Where a private address is.
pub(super) const PRIVATE_HOST: &str = "kitchentable.example";

/// What titles that are too long are made of.
pub(super) static DUTIES: [&str; 6] = [
    "regional purchasing",
    "supplier relations",
    "contract archives",
    "warehouse planning",
    "customs paperwork",
    "apprentice training",
];
