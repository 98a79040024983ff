//! A rendered mail in the form of RFC 5322: headers and two alternative parts.

use lettre::{
    Address, Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

use super::{MailError, RenderedMail};

/// The longest line that needs no encoding, in bytes without its end (RFC 5322, section 2.1.1).
const LINE_MAX: usize = 998;

/// What the reader of the message understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A mail server, which may know ASCII alone.
    #[cfg_attr(not(feature = "smtp"), allow(dead_code, reason = "only SMTP has a server to write for"))]
    Server,
    /// People and programs that look at a file, where UTF-8 is best left as it is.
    File,
}

/// Builds the message.
pub(super) fn message(mail: &RenderedMail, from: &Mailbox, reader: Reader) -> Result<Message, MailError> {
    let to: Address = mail.to.parse().map_err(MailError::permanent)?;
    let parts = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &mail.text, reader))
        .singlepart(part(ContentType::TEXT_HTML, &mail.html, reader));
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(mail.subject.as_str())
        .message_id(Some(message_id(mail, from)?))
        // Vacation responders leave such mail alone (RFC 3834, section 5).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(parts)
        .map_err(MailError::permanent)
}

/// The `Message-ID` header, with the sender's domain when the id has none.
fn message_id(mail: &RenderedMail, from: &Mailbox) -> Result<String, MailError> {
    let id = checked_id(mail)?;
    Ok(if id.contains('@') { format!("<{id}>") } else { format!("<{id}@{}>", from.email.domain()) })
}

/// The message id, if it is harmless in a header and as the name of a file (header injection, path traversal).
pub(super) fn checked_id(mail: &RenderedMail) -> Result<&str, MailError> {
    let id = mail.message_id.as_str();
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    if (1..=200).contains(&id.len()) && !id.starts_with('.') && id.chars().all(harmless) {
        Ok(id)
    } else {
        Err(MailError::permanent(
            "the message id has other characters than letters, digits, `.`, `-`, `_` and `@`",
        ))
    }
}

/// One alternative; short lines of ASCII stay as they are.
///
/// Left to itself, the builder encodes text with lines of 76 bytes and more as quoted-printable, which breaks a
/// link over several lines and writes `token=` as `token=3D`.
fn part(content_type: ContentType, text: &str, reader: Reader) -> SinglePart {
    let fits = text.lines().all(|line| line.len() <= LINE_MAX) && !text.contains('\0');
    let body = match (fits, text.is_ascii(), reader) {
        (true, true, _) => Body::dangerous_pre_encoded(with_crlf(text), ContentTransferEncoding::SevenBit),
        (true, false, Reader::File) => {
            Body::dangerous_pre_encoded(with_crlf(text), ContentTransferEncoding::EightBit)
        }
        _ => Body::new(text.to_owned()),
    };
    SinglePart::builder().content_type(content_type).body(body)
}

/// The same lines, each ended as mail wants it.
fn with_crlf(text: &str) -> Vec<u8> {
    // A lone carriage return is no line end to some servers and one to others (SMTP smuggling).
    text.lines()
        .flat_map(|line| [line.replace('\r', " "), "\r\n".to_owned()])
        .collect::<String>()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::mail, *};

    fn formatted(mail: &RenderedMail, reader: Reader) -> String {
        let from = "Acme <noreply@example.com>".parse().unwrap();
        String::from_utf8(message(mail, &from, reader).unwrap().formatted()).unwrap()
    }

    #[test]
    fn token_and_link_stand_in_the_raw_message_as_they_are() {
        let token = "token=".to_owned() + &"aB3-_".repeat(40);
        let link = "https://app.example.com/verify#".to_owned() + &token;
        let mail = RenderedMail { text: format!("Hi\n\n{link}\n\n{token}\n"), ..mail() };
        for reader in [Reader::Server, Reader::File] {
            let raw = formatted(&mail, reader);
            let lines: Vec<_> = raw.split("\r\n").collect();
            assert!(lines.contains(&token.as_str()) && lines.contains(&link.as_str()), "{raw}");
            assert!(raw.contains("Content-Transfer-Encoding: 7bit"), "{raw}");
        }
    }

    #[test]
    fn the_token_stands_in_a_file_beside_text_that_is_not_ascii() {
        let mail = RenderedMail { text: "Gr\u{fc}\u{df}e\ntoken=abc\n".to_owned(), ..mail() };
        let raw = formatted(&mail, Reader::File);
        assert!(raw.contains("\r\ntoken=abc\r\n") && raw.contains("Gr\u{fc}\u{df}e"), "{raw}");
        assert!(raw.contains("Content-Transfer-Encoding: 8bit"), "{raw}");
        assert!(formatted(&mail, Reader::Server).is_ascii());
    }

    #[test]
    fn the_message_has_its_headers_and_two_alternatives() {
        let raw = formatted(&mail(), Reader::File);
        for header in [
            "From: Acme <noreply@example.com>\r\n",
            "To: ann@example.com\r\n",
            "Subject: Verify your address\r\n",
            "Message-ID: <0198c0de-1@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
            "Date: ",
        ] {
            assert!(raw.contains(header), "no {header} in {raw}");
        }
        let own = RenderedMail { message_id: "1@other.example".to_owned(), ..mail() };
        assert!(formatted(&own, Reader::File).contains("Message-ID: <1@other.example>\r\n"));
    }

    #[test]
    fn what_could_leave_its_header_is_refused_for_good() {
        let from: Mailbox = "noreply@example.com".parse().unwrap();
        let hostile_ids = ["", "..", "../x", "a/b", "a>\r\nBcc: x@example.com", "a b", ".hidden"]
            .map(|id| RenderedMail { message_id: id.to_owned(), ..mail() });
        let hostile_recipients =
            ["", "ann", "ann@example.com\r\nBcc: x@example.com", "a@example.com, b@example.com"]
                .map(|to| RenderedMail { to: to.to_owned(), ..mail() });
        for mail in hostile_ids.iter().chain(&hostile_recipients) {
            let error = message(mail, &from, Reader::File).unwrap_err();
            assert!(error.is_permanent(), "{} {}", mail.to, mail.message_id);
        }
        let subject = RenderedMail { subject: "Hi\r\nBcc: x@example.com".to_owned(), ..mail() };
        let raw = formatted(&subject, Reader::File);
        assert!(!raw.split("\r\n").any(|line| line.starts_with("Bcc")), "{raw}");
    }
}
