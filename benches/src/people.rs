//! The users of every table: the same ones for each program, computed from their numbers.

use std::fmt::Write;

use uuid::Uuid;

use crate::program::Program;

/// Who registers over HTTP, so that the others have a real hash.
pub const SEED: &str = "seed@example.com";

/// When the first user registered, in milliseconds since 1970; the others followed every ten seconds.
const FIRST: u64 = 1_600_000_000_000;
const EVERY: u64 = 10_000;

pub fn email(number: u32) -> String {
    format!("user{number:08}@example.com")
}

/// A key as version 7 makes it: the time in front, chance behind.
fn key(number: u32) -> Uuid {
    let milliseconds = FIRST + u64::from(number) * EVERY;
    let chance = Uuid::new_v4().into_bytes();
    let mut tail = [0; 10];
    tail.copy_from_slice(&chance[..10]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid()
}

/// The statement that stores a range of users with the hash of [`SEED`]; `literal` writes a key.
pub fn insert(numbers: std::ops::Range<u32>, literal: impl Fn(Uuid) -> String) -> String {
    let mut rows = String::new();
    for number in numbers {
        let comma = if rows.is_empty() { "" } else { ", " };
        let _ = write!(rows, "{comma}({}, '{}', 'Person {number}')", literal(key(number)), email(number));
    }
    format!(
        "INSERT INTO users (id, email, email_canonical, password_hash, is_active, is_verified, display_name, \
         login_count) SELECT v.column1, v.column2, v.column2, seed.password_hash, TRUE, TRUE, v.column3, 0 \
         FROM (VALUES {rows}) AS v, users AS seed WHERE seed.email = '{SEED}'"
    )
}

/// Which users of a table do what: some are logged in and stay so, the others log in while time is taken.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    pub readers: u32,
    pub users: u32,
}

impl Crowd {
    pub fn of(program: Program, users: u32, peer_users: u32) -> Self {
        match program.script() {
            // Peers register theirs over HTTP, and have few.
            Some(_) => Self { readers: 50, users: peer_users },
            None => Self { readers: 1_000, users },
        }
    }

    pub fn readers(self) -> impl Iterator<Item = String> {
        (0..self.readers).map(email)
    }

    pub fn visitors(self) -> impl Iterator<Item = String> {
        (self.readers..self.users).map(email)
    }
}
