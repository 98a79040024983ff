//! Logged-in users, who stay logged in for as long as their program remembers it.

use std::{collections::HashMap, thread};

use crate::{Failure, client::Request, program::Program, scenario, server::Server, subject::Subject};

/// How many log in at once: as many more would only wait for the hash.
const AT_ONCE: usize = 4;

/// What proves logins, by program.
#[derive(Debug, Default)]
pub struct Credentials(HashMap<Subject, Vec<String>>);

impl Credentials {
    /// The lines of the head that prove who requests are from; users log in again when the program forgot them.
    pub fn of(
        &mut self,
        subject: Subject,
        server: &Server,
        emails: impl Iterator<Item = String>,
    ) -> Result<&[String], Failure> {
        let known = self.0.entry(subject).or_default();
        if !are_valid(known, server)? {
            *known = log_in(subject.program, server, &emails.collect::<Vec<_>>())?;
        }
        Ok(known)
    }
}

fn are_valid(credentials: &[String], server: &Server) -> Result<bool, Failure> {
    let (Some(first), Some(last)) = (credentials.first(), credentials.last()) else { return Ok(false) };
    let mut client = server.client()?;
    let mut is_valid = |credential| Ok::<_, Failure>(client.send(&scenario::read(credential))?.status == 200);
    Ok(is_valid(first)? && is_valid(last)?)
}

/// Logs everybody in, a few at a time, and tells their credentials.
pub fn log_in(program: Program, server: &Server, emails: &[String]) -> Result<Vec<String>, Failure> {
    each(server, emails, |email| program.login(email), program.logged_in())?
        .into_iter()
        .map(|credential| credential.ok_or_else(|| "a login gave neither a cookie nor a token".into()))
        .collect()
}

pub fn register(server: &Server, emails: &[String]) -> Result<(), Failure> {
    each(server, emails, Program::register, 201).map(drop)
}

fn each(
    server: &Server,
    emails: &[String],
    request: impl Fn(&str) -> Request + Sync,
    expected: u16,
) -> Result<Vec<Option<String>>, Failure> {
    let send = |emails: &[String]| -> Result<Vec<_>, Failure> {
        let mut client = server.client()?;
        let mut send = |email: &String| Ok(client.send(&request(email))?.expect(expected)?.credential());
        emails.iter().map(&mut send).collect()
    };
    thread::scope(|scope| {
        let parts = emails.chunks(emails.len().div_ceil(AT_ONCE).max(1));
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| send(part))).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| "a thread that sends requests panicked")??);
        }
        Ok(all)
    })
}
