//! HTTP for what is not measured: one connection, and requests as the bytes that also wrk sends.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

use crate::Failure;

/// Longer than any answer takes at a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    head: String,
    body: String,
}

impl Request {
    pub fn get(path: &str) -> Self {
        Self { head: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"), body: String::new() }
    }

    pub fn json(method: &str, path: &str, body: &Value) -> Self {
        Self::with_body(method, path, "application/json", body.to_string())
    }

    pub fn form(path: &str, body: &str) -> Self {
        Self::with_body("POST", path, "application/x-www-form-urlencoded", body.to_owned())
    }

    fn with_body(method: &str, path: &str, kind: &str, body: String) -> Self {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        );
        Self { head, body }
    }

    pub fn header(mut self, line: &str) -> Self {
        self.head.push_str(line);
        self.head.push_str("\r\n");
        self
    }

    pub fn text(&self) -> String {
        format!("{}\r\n{}", self.head, self.body)
    }
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The line of a request's head that proves the login that this answers: its cookies, or else its token.
    pub fn credential(&self) -> Option<String> {
        let cookies: Vec<_> =
            self.headers("set-cookie").filter_map(|cookie| cookie.split(';').next()).collect();
        if cookies.is_empty() {
            return self.headers("authorization").next().map(|value| format!("Authorization: {value}"));
        }
        Some(format!("Cookie: {}", cookies.join("; ")))
    }

    /// Fails unless the status is the expected one.
    pub fn expect(self, status: u16) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!("expected the status {status} and got\n{}\n{}", self.head, self.body).into())
    }
}

/// A connection that stays open.
pub struct Client {
    stream: TcpStream,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Sends a request and reads the answer to its end.
    pub fn send(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.stream.write_all(request.text().as_bytes())?;
        let mut bytes = Vec::new();
        let end = loop {
            self.read_more(&mut bytes)?;
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
        };
        let mut body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut answer = Answer { status: status.ok_or("this is no HTTP")?, head, body: String::new() };
        // Without a length there is no body, as in an answer of 204.
        let length = answer.headers("content-length").next().map_or(Ok(0), str::parse)?;
        while body.len() < length {
            self.read_more(&mut body)?;
        }
        answer.body = String::from_utf8(body)?;
        Ok(answer)
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>) -> Result<(), Failure> {
        let mut buffer = [0; 8 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err("the server closed the connection".into()),
            read => {
                bytes.extend_from_slice(&buffer[..read]);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_the_cookies_before_the_token() {
        let answer = |head: &str| Answer { status: 201, head: head.to_owned(), body: String::new() };
        let both = answer(
            "HTTP/1.1 201 Created\r\nAuthorization: Bearer t\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2",
        );
        assert_eq!(both.credential().as_deref(), Some("Cookie: a=1; b=2"));
        let token = answer("HTTP/1.1 201 Created\r\nAuthorization: Bearer t");
        assert_eq!(token.credential().as_deref(), Some("Authorization: Bearer t"));
        assert_eq!(answer("HTTP/1.1 201 Created").credential(), None);
    }
}
