//! The URL's forms, and talks with a server of the test's own on loopback.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread,
};

use super::{super::tests::mail, *};
use crate::error::display_chain;

const FROM: &str = "Acme <noreply@example.com>";

/// What the server answers to a command, if not the usual; an empty answer is silence.
type Replies = fn(&str) -> Option<&'static str>;

/// A server that takes mail on loopback and tells what it was sent.
struct FakeServer {
    port: u16,
    seen: mpsc::Receiver<String>,
}

impl FakeServer {
    fn start(replies: Replies) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, seen) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let tell = tell.clone();
                thread::spawn(move || talk(stream.unwrap(), replies, &tell));
            }
        });
        Self { port, seen }
    }

    fn transport(&self, user_info: &str) -> Smtp {
        let url = format!("smtp://{user_info}127.0.0.1:{}?tls=none", self.port);
        Smtp::from_url(&url, FROM).unwrap().with_timeout(Duration::from_millis(300))
    }

    fn seen(&self) -> Vec<String> {
        self.seen.try_iter().collect()
    }
}

fn talk(mut stream: TcpStream, replies: Replies, tell: &mpsc::Sender<String>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut in_data = false;
    let mut command = "CONNECT".to_owned();
    loop {
        let _ = tell.send(command.clone());
        let verb = command.split(' ').next().unwrap_or_default();
        let usual = match verb {
            _ if in_data && command != "." => "",
            "CONNECT" => "220 fake\r\n",
            "EHLO" => "250-fake\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 welcome\r\n",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 done\r\n",
        };
        let reply = if in_data && command != "." { usual } else { replies(&command).unwrap_or(usual) };
        in_data = (in_data && command != ".") || (verb == "DATA" && reply.starts_with("354"));
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
        match lines.next() {
            Some(Ok(line)) => command = line,
            _ => return,
        }
    }
}

#[tokio::test]
async fn a_mail_arrives_with_its_token_and_its_dots() {
    let server = FakeServer::start(|_| None);
    let smtp = server.transport("");
    let mail = RenderedMail { text: "token=abc\n.\n.hidden\n".to_owned(), ..mail() };
    smtp.send(&mail).await.unwrap();
    let seen = server.seen();
    let expected = [
        "EHLO example.com",
        "MAIL FROM:<noreply@example.com>",
        "RCPT TO:<ann@example.com>",
        "DATA",
        "token=abc",
    ];
    for line in expected {
        assert!(seen.iter().any(|seen| seen == line), "no {line} in {seen:#?}");
    }
    assert!(seen.contains(&"..".to_owned()) && seen.contains(&"..hidden".to_owned()), "{seen:#?}");
    assert!(!seen.iter().any(|line| line.starts_with("AUTH")), "{seen:#?}");
}

#[tokio::test]
async fn the_connection_is_kept_for_the_next_mail_and_replaced_when_it_is_lost() {
    let server = FakeServer::start(|command| (command == "NOOP").then_some("421 closing\r\n"));
    let smtp = server.transport("");
    smtp.send(&mail()).await.unwrap();
    smtp.send(&mail()).await.unwrap();
    assert_eq!(server.seen().iter().filter(|line| *line == "CONNECT").count(), 2);

    let server = FakeServer::start(|_| None);
    let smtp = server.transport("");
    smtp.send(&mail()).await.unwrap();
    smtp.send(&mail()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.iter().filter(|line| *line == "CONNECT").count(), 1, "{seen:#?}");
    assert_eq!(seen.iter().filter(|line| *line == ".").count(), 2, "{seen:#?}");
}

#[tokio::test]
async fn credentials_are_percent_decoded() {
    let server = FakeServer::start(|_| None);
    server.transport("ann%40example.com:p%2F%3Aw%C3%BC@").send(&mail()).await.unwrap();
    // The base64 form of "\0ann@example.com\0p/:w\u{fc}".
    let expected = "AUTH PLAIN AGFubkBleGFtcGxlLmNvbQBwLzp3w7w=";
    let seen = server.seen();
    assert!(seen.iter().any(|line| line == expected), "{seen:#?}");
}

#[tokio::test]
async fn a_reply_of_5xx_to_the_mail_is_permanent_and_one_of_4xx_is_not() {
    let refusals: [(Replies, bool); 8] = [
        (|command| command.starts_with("MAIL").then_some("550 5.7.1 not you\r\n"), true),
        (|command| command.starts_with("RCPT").then_some("550 5.1.1 no such user\r\n"), true),
        (|command| (command == ".").then_some("554 5.6.0 no\r\n"), true),
        (|command| command.starts_with("MAIL").then_some("530 5.7.0 log in first\r\n"), false),
        (|command| command.starts_with("RCPT").then_some("451 4.7.1 greylisted\r\n"), false),
        (|command| (command == ".").then_some("452 4.3.1 disk full\r\n"), false),
        (|command| (command == "CONNECT").then_some("554 no service\r\n"), false),
        (|command| (command == "EHLO example.com").then_some("421 busy\r\n"), false),
    ];
    for (replies, permanent) in refusals {
        let server = FakeServer::start(replies);
        let smtp = server.transport("");
        let error = smtp.send(&mail()).await.unwrap_err();
        assert_eq!(error.is_permanent(), permanent, "{}", display_chain(&error));
        assert!(smtp.idle().is_none(), "{}", display_chain(&error));
    }
}

#[tokio::test]
async fn a_failed_login_is_not_permanent_and_its_error_hides_the_password() {
    let server = FakeServer::start(|command| {
        command.starts_with("AUTH").then_some("535 cannot read AUTH PLAIN AGEAcHc=\r\n")
    });
    let error = server.transport("a:pw@").send(&mail()).await.unwrap_err();
    assert!(!error.is_permanent());
    let shown = format!("{} {error:?}", display_chain(&error));
    assert!(shown.contains("535") && !shown.contains("AGEAcHc"), "{shown}");
}

#[tokio::test]
async fn a_server_that_quotes_the_mail_brings_no_token_into_the_log() {
    let server = FakeServer::start(|command| {
        (command == ".")
            .then_some("554 5.7.1 bad link https://a.example/v#token=aB3_aB3-aB3_aB3-aB3_ in mail\r\n")
    });
    let error = server.transport("").send(&mail()).await.unwrap_err();
    let shown = format!("{} {error:?}", display_chain(&error));
    assert!(shown.contains("5.7.1 bad link https://a.example/v#... in mail"), "{shown}");
    assert!(!shown.contains("aB3"), "{shown}");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_wherever_it_hangs() {
    let silences: [Replies; 4] = [
        |command| (command == "CONNECT").then_some(""),
        |command| command.starts_with("EHLO").then_some(""),
        |command| command.starts_with("RCPT").then_some(""),
        |command| (command == ".").then_some(""),
    ];
    for replies in silences {
        let server = FakeServer::start(replies);
        let smtp = server.transport("").with_timeout(Duration::from_millis(100));
        let started = Instant::now();
        let error = smtp.send(&mail()).await.unwrap_err();
        assert!(!error.is_permanent() && started.elapsed() < Duration::from_secs(3));
        assert_eq!(
            display_chain(&error),
            "the mail could not be sent now: the mail server did not answer in time"
        );
        // The late reply of an unfinished mail would count for the next one.
        assert!(smtp.idle().is_none());
    }
}

#[tokio::test]
async fn nobody_listening_is_not_permanent() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let smtp = Smtp::from_url(&format!("smtp://127.0.0.1:{port}"), FROM).unwrap();
    assert!(!smtp.send(&mail()).await.unwrap_err().is_permanent());
}

#[tokio::test]
async fn without_starttls_a_server_elsewhere_gets_neither_password_nor_mail() {
    let server = FakeServer::start(|_| None);
    let mut smtp = server.transport("ann:secret@");
    smtp.server.security = Security::Required(tls("mail.example.com").unwrap());
    assert!(!smtp.send(&mail()).await.unwrap_err().is_permanent());
    let seen = server.seen();
    assert!(
        seen.iter().all(|line| ["CONNECT", "EHLO example.com", "QUIT"].contains(&line.as_str())),
        "{seen:#?}"
    );

    // On this machine encryption is taken if it is there, and the server above has none.
    smtp.server.security = Security::Opportunistic(tls("localhost").unwrap());
    smtp.send(&mail()).await.unwrap();
}

#[tokio::test]
async fn a_transport_can_be_shared_as_a_trait_object() {
    let server = FakeServer::start(|_| None);
    let shared: Arc<dyn MailTransport> = Arc::new(server.transport(""));
    let other = Arc::clone(&shared);
    let sent = tokio::join!(
        tokio::spawn(async move { shared.send(&mail()).await }),
        tokio::spawn(async move { other.send(&mail()).await }),
    );
    sent.0.unwrap().unwrap();
    sent.1.unwrap().unwrap();
}

#[test]
fn the_url_decides_on_encryption_and_port() {
    for (url, security, port) in [
        ("smtps://mail.example.com", "implicit", 465),
        ("smtps://mail.example.com:2465/", "implicit", 2465),
        ("smtp://mail.example.com", "required", 587),
        ("smtp://ann:secret@mail.example.com:25", "required", 25),
        ("smtp://127.0.0.1.example.com", "required", 587),
        ("smtp://localhost", "opportunistic", 25),
        ("smtp://127.0.0.1:1025", "opportunistic", 1025),
        ("smtp://[::1]:1025?tls=none", "none", 1025),
        ("smtp://LOCALHOST:1025?tls=none", "none", 1025),
    ] {
        let server = Server::from_url(url).unwrap_or_else(|problem| panic!("{url}: {problem}"));
        let found = match server.security {
            Security::None => "none",
            Security::Opportunistic(_) => "opportunistic",
            Security::Required(_) => "required",
            Security::Implicit(_) => "implicit",
        };
        assert_eq!((found, server.port), (security, port), "{url}");
    }
}

#[test]
fn urls_that_make_no_sense_are_refused_without_quoting_them() {
    for (url, problem) in [
        ("smtp://ann:hunter2@mail.example.com?tls=none", "`tls=none` is for `smtp://` to this machine"),
        ("smtps://ann:hunter2@127.0.0.1?tls=none", "`tls=none` is for `smtp://` to this machine"),
        ("smtp://ann:hunter2@mail.example.com?tls=off", "unknown option"),
        ("smtp://ann:hunter2/x@mail.example.com", "does not parse"),
        ("smtp://ann:hunter2@mail.example.com/x", "percent-encode"),
        ("smtp://ann:hunter2@mail.example.com#x", "percent-encode"),
        ("smtp://ann:hunter2%FF@mail.example.com", "not percent-encoded UTF-8"),
        ("smtp://ann:hunter2%zz@mail.example.com", "not percent-encoded UTF-8"),
        ("smtp://hunter2@mail.example.com", "only one of user and password"),
        ("smtp://:hunter2@mail.example.com", "only one of user and password"),
        ("smtp://", "no host"),
    ] {
        let message = Smtp::from_url(url, FROM).unwrap_err().to_string();
        assert!(message.starts_with("MAIL: ") && message.contains(problem), "{url}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn debug_shows_no_credentials() {
    let smtp = Smtp::from_url("smtp://ann:hunter2@mail.example.com", FROM).unwrap();
    let shown = format!("{smtp:?}");
    assert!(shown.contains("mail.example.com") && !shown.contains("hunter2"), "{shown}");
}
