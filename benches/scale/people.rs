//! The users of a table: the same ones for every database, each computed from its number.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// Who may list the others. It is the first user, and the one that the library itself registers.
pub const ADMINISTRATOR: &str = "admin@example.com";

/// The role of every hundredth user.
pub const ROLE: &str = "accountant";

/// What addresses begin with.
const NAMES: [&str; 10] =
    ["carmen", "dmitri", "esther", "fatima", "gloria", "hannah", "ingrid", "joanna", "sandra", "walter"];

/// Coprime to every number of users that is accepted, so that it shuffles addresses without a double: keys ascend in
/// the order of registration, addresses do not.
const SHUFFLE: u64 = 7_654_321;

/// When the first user registered, in milliseconds since 1970; the others followed every ten seconds.
const FIRST: u64 = 1_600_000_000_000;
const EVERY: u64 = 10_000;

/// A table's worth of users.
#[derive(Debug, Clone, Copy)]
pub struct People {
    pub count: u64,
}

/// One of them.
#[derive(Debug)]
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub is_active: bool,
    pub has_role: bool,
}

impl People {
    /// Everybody but the administrator.
    pub fn all(self) -> impl Iterator<Item = Person> {
        (1..self.count).map(move |number| self.person(number))
    }

    pub fn person(self, number: u64) -> Person {
        let place = (u128::from(number) * u128::from(SHUFFLE)) % u128::from(self.count);
        let name = NAMES[usize::try_from(place % 10).unwrap_or_default()];
        Person {
            id: key(number),
            email: format!("{name}{place:08}@example.com"),
            name: format!("{name} {number}"),
            is_active: number % 100 != 42,
            has_role: number % 100 == 7,
        }
    }

    /// Any of them who may log in, each as likely as another.
    pub fn anybody(self, random: &mut Random) -> Person {
        loop {
            let person = self.person(1 + random.below(self.count - 1));
            if person.is_active {
                return person;
            }
        }
    }

    /// A prefix of about a hundred addresses, however large the table is.
    pub fn prefix(self, random: &mut Random) -> String {
        let email = self.anybody(random).email;
        email[..11].to_owned()
    }

    /// A prefix of a tenth of all addresses.
    pub fn short_prefix(random: &mut Random) -> String {
        NAMES[usize::try_from(random.below(10)).unwrap_or_default()].to_owned()
    }
}

/// A key as version 7 makes it: the time in front, chance behind.
fn key(number: u64) -> Uuid {
    let mut random = Random(number);
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.next().to_be_bytes());
    bytes[8..].copy_from_slice(&random.next().to_be_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(FIRST + number * EVERY, &bytes).into_uuid()
}

/// `SplitMix64`: spread evenly, and the same for the same start.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts elsewhere each time.
    pub fn from_clock() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(now.as_secs() ^ u64::from(now.subsec_nanos()))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number under `bound`; what the remainder favours is less than one in a billion.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or_default();
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_is_there_twice() {
        for count in [1_000, 3_000, 100_000] {
            let people = People { count };
            let (ids, emails): (HashSet<_>, HashSet<_>) =
                people.all().map(|person| (person.id, person.email)).unzip();
            assert_eq!((ids.len(), emails.len()), (people.all().count(), people.all().count()));
        }
    }

    #[test]
    fn keys_ascend_and_addresses_do_not() {
        let people: Vec<_> = People { count: 1_000 }.all().collect();
        assert!(people.is_sorted_by_key(|person| person.id));
        assert!(!people.is_sorted_by_key(|person| person.email.clone()));
        assert_eq!(people[0].id.get_version_num(), 7);
    }

    #[test]
    fn a_prefix_finds_as_many_in_a_table_of_any_size() {
        let mut random = Random(1);
        for count in [1_000, 100_000] {
            let people = People { count };
            let prefix = people.prefix(&mut random);
            let found = people.all().filter(|person| person.email.starts_with(&prefix)).count();
            // The administrator stands in for one.
            assert!((99..=100).contains(&found), "{found} of {count} begin with {prefix}");
        }
    }
}
