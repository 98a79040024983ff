//! One client with one connection: as little as it takes, so that the time is the server's.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use crate::Failure;

/// A connection that stays open.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A request as it goes over the wire.
pub struct Request(Vec<u8>);

/// What the server answered.
pub struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub fn get(path: &str, token: &str) -> Self {
        let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        Self(text.into_bytes())
    }

    pub fn post(path: &str, body: &Value) -> Self {
        let body = body.to_string();
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \
             {}\r\n\r\n{body}",
            body.len()
        );
        Self(text.into_bytes())
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends a request and reads the answer to its end; another status than `expected` is a failure.
    pub fn send(&mut self, request: &Request, expected: u16) -> Result<Answer, Failure> {
        self.stream.write_all(&request.0)?;
        let mut bytes = Vec::with_capacity(16 * 1024);
        let (end, length) = loop {
            self.read_more(&mut bytes)?;
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(&bytes[..end])?;
                let length = header(head, "content-length").ok_or("the answer has no length")?.parse()?;
                break (end, length);
            }
        };
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            self.read_more(&mut body)?;
        }
        let answer = Answer { head: String::from_utf8(bytes)?, body };
        if answer.status() != Some(expected) {
            let (head, body) = (&answer.head, String::from_utf8_lossy(&answer.body));
            return Err(format!("expected the status {expected}, and got {head}{body}").into());
        }
        Ok(answer)
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>) -> Result<(), Failure> {
        match self.stream.read(&mut self.buffer)? {
            0 => Err("the server closed the connection".into()),
            read => {
                bytes.extend_from_slice(&self.buffer[..read]);
                Ok(())
            }
        }
    }
}

impl Answer {
    fn status(&self) -> Option<u16> {
        self.head.split(' ').nth(1)?.parse().ok()
    }

    /// The token that a login put into a header.
    pub fn token(&self) -> Result<String, Failure> {
        let value = header(&self.head, "authorization").ok_or("the answer to a login has no token")?;
        Ok(value.trim_start_matches("Bearer ").to_owned())
    }

    pub fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
