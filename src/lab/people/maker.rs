//! Makes faces, and makes two of one that do not quite agree.

use jiff::civil::Date;

use super::dice::Dice;
use super::face::{self, Face};
use super::words::{Lines, NON_LATIN, PRIVATE_HOST, TAGS, TONGUES, USERS};

pub(super) struct Maker {
    pub(super) dice: Dice,
    /// How many phone lines and private addresses were given out: no two people have the same.
    given: u32,
    /// How many names in other scripts were given out.
    foreign: usize,
}

/// What two apps may not agree on.
#[derive(Clone, Copy)]
enum Point {
    FirstName,
    Title,
    City,
    Birthday,
    Phone,
    Mobile,
    Tags,
    Owner,
}

const POINTS: [Point; 8] = [
    Point::FirstName,
    Point::Title,
    Point::City,
    Point::Birthday,
    Point::Phone,
    Point::Mobile,
    Point::Tags,
    Point::Owner,
];

/// East of UTC, in hours: in summer, in winter, and from imports.
const MIDNIGHTS: [i64; 3] = [2, 1, 0];

impl Maker {
    pub(super) fn new(dice: Dice) -> Self {
        Self { dice, given: 0, foreign: 0 }
    }

    /// Somebody of whom everything is known.
    pub(super) fn face(&mut self, number: u32) -> Face {
        let tongue = self.dice.pick(&TONGUES);
        let first_name = self.dice.pick(tongue.first_names).to_owned();
        let last_name = self.dice.pick(tongue.last_names).to_owned();
        let email = face::address(&first_name, &last_name, number, tongue.host);
        let mut tags = TAGS;
        self.dice.shuffle(&mut tags);
        let count = self.dice.below(3);
        Face {
            first_name,
            last_name,
            email,
            phone: self.line(tongue.work),
            mobile: self.line(tongue.mobile),
            title: self.dice.pick(tongue.titles).to_owned(),
            city: self.dice.pick(tongue.cities).to_owned(),
            birthday: self.birthday(),
            tags: tags.into_iter().take(count).map(str::to_owned).collect(),
            is_opted_out: false,
            owner: self.dice.pick(&USERS).1.to_owned(),
            other_phone: if self.dice.happens(20) { self.line(tongue.work) } else { String::new() },
            private_email: if self.dice.happens(15) { self.private_email() } else { String::new() },
            midnight_east: self.dice.pick(&MIDNIGHTS),
        }
    }

    /// First and last name in another script: each of them in turn.
    pub(super) fn foreign_name(&mut self) -> (&'static str, &'static str) {
        let at = self.foreign % NON_LATIN.len();
        self.foreign += 1;
        NON_LATIN.get(at).copied().unwrap_or_default()
    }

    /// A phone number that nobody has yet.
    pub(super) fn line(&mut self, lines: Lines) -> String {
        self.given += 1;
        format!("+{} {} {}", lines.country, lines.area, lines.first + self.given)
    }

    fn private_email(&mut self) -> String {
        self.given += 1;
        format!("home.{}@{PRIVATE_HOST}", self.given)
    }

    fn birthday(&mut self) -> Option<Date> {
        let year = i16::try_from(1950 + self.dice.below(55)).ok()?;
        let month = i8::try_from(1 + self.dice.below(12)).ok()?;
        // Every month has these days.
        let day = i8::try_from(1 + self.dice.below(28)).ok()?;
        Date::new(year, month, day).ok()
    }

    /// The same person, less what was never filled in.
    pub(super) fn thinned(&mut self, full: &Face) -> Face {
        let mut thin = full.clone();
        for text in [&mut thin.phone, &mut thin.mobile, &mut thin.title, &mut thin.city] {
            if self.dice.happens(25) {
                text.clear();
            }
        }
        if self.dice.happens(50) {
            thin.birthday = None;
        }
        thin
    }

    /// The same person as two apps know it, who agree on all but one to four points.
    pub(super) fn parted(&mut self, full: &Face, number: u32) -> (Face, Face) {
        let thin = self.thinned(full);
        let (mut left, mut right) = (thin.clone(), thin);
        let mut points = POINTS;
        self.dice.shuffle(&mut points);
        let count = 1 + self.dice.below(4);
        let other = self.face(number);
        for point in points.into_iter().take(count) {
            self.part(point, full, &other, (&mut left, &mut right));
        }
        if self.dice.happens(25) {
            right.email = face::capitalised(&right.email);
        }
        (left, right)
    }

    fn part(&mut self, point: Point, full: &Face, other: &Face, sides: (&mut Face, &mut Face)) {
        let (left, right) = sides;
        match point {
            Point::FirstName => {
                let initial: String = full.first_name.chars().take(1).chain(['.']).collect();
                let names = (&mut left.first_name, &mut right.first_name);
                self.part_value(&full.first_name, &initial, names);
            }
            Point::Title => {
                self.part_value(&full.title, &other.title, (&mut left.title, &mut right.title));
            }
            Point::City => {
                self.part_value(&full.city, &other.city, (&mut left.city, &mut right.city));
            }
            Point::Birthday => {
                let days = (&mut left.birthday, &mut right.birthday);
                self.part_value(&full.birthday, &other.birthday, days);
            }
            Point::Phone => {
                self.part_number(&full.phone, &other.phone, (&mut left.phone, &mut right.phone));
            }
            Point::Mobile => {
                self.part_number(
                    &full.mobile,
                    &other.mobile,
                    (&mut left.mobile, &mut right.mobile),
                );
            }
            Point::Tags => self.part_tags(&mut left.tags, &mut right.tags),
            Point::Owner => {
                left.owner.clone_from(&full.owner);
                let mut others = USERS.iter().map(|(_, email)| *email);
                let another = others.find(|email| *email != full.owner);
                right.owner = another.unwrap_or_default().to_owned();
            }
        }
    }

    /// Two values, or one on either side.
    fn part_value<T: Clone + Default + PartialEq>(
        &mut self,
        full: &T,
        other: &T,
        (left, right): (&mut T, &mut T),
    ) {
        match self.dice.below(3) {
            0 if full != other => {
                *left = full.clone();
                *right = other.clone();
            }
            1 => {
                *left = full.clone();
                *right = T::default();
            }
            _ => {
                *left = T::default();
                *right = full.clone();
            }
        }
    }

    /// Half of the time both have the same number in two spellings.
    fn part_number(&mut self, full: &str, other: &str, sides: (&mut String, &mut String)) {
        if self.dice.happens(50) {
            let spelling = self.dice.below(face::SPELLINGS);
            *sides.0 = full.to_owned();
            *sides.1 = face::respelled(full, spelling);
        } else {
            self.part_value(&full.to_owned(), &other.to_owned(), sides);
        }
    }

    /// One more on one side, or another one on each.
    fn part_tags(&mut self, left: &mut Vec<String>, right: &mut Vec<String>) {
        let is_free = |tag: &&str| !left.iter().any(|known| known == tag);
        let mut free: Vec<&str> = TAGS.into_iter().filter(is_free).collect();
        self.dice.shuffle(&mut free);
        let mut free = free.into_iter().map(str::to_owned);
        match self.dice.below(3) {
            0 => left.extend(free.next()),
            1 => right.extend(free.next()),
            _ => {
                left.extend(free.next());
                right.extend(free.next());
            }
        }
    }
}
