//! Rendering of every mail, and refusal of templates that would make bad ones.

use super::*;

fn context() -> MailContext<'static> {
    MailContext {
        app_name: "Acme",
        recipient: "Ann@example.com",
        link: Some("https://app.example.com/verify#token=abc_DEF-123"),
        token: Some("abc_DEF-123"),
        valid_for: Some(Duration::from_hours(24)),
        new_identifier: Some("ann.new@example.com"),
        until: Some("2030-01-31 12:05 UTC"),
    }
}

fn render(kind: MailKind, context: &MailContext<'_>) -> RenderedMail {
    Templates::default().render(kind, context, "1@example.com").unwrap()
}

/// The message of the refusal of `text` as the text of the kind.
fn refusal(kind: MailKind, subject: &str, text: &str, html: &str) -> String {
    match Templates::default().with_template(kind, subject, text, html) {
        Err(error @ Error::Setting { .. }) => error.to_string(),
        other => panic!("not refused as a setting: {other:?}"),
    }
}

#[test]
fn every_embedded_template_passes_the_check_for_templates_of_the_application() {
    for kind in MailKind::ALL {
        Templates::default().check(kind).unwrap();
    }
}

#[test]
fn mails_with_a_token_have_its_line_the_link_and_the_time_it_is_valid() {
    for kind in MailKind::ALL.into_iter().filter(|kind| kind.carries_token()) {
        let mail = render(kind, &context());
        let lines: Vec<_> = mail.text.lines().collect();
        assert!(lines.contains(&"token=abc_DEF-123"), "{kind:?}: {}", mail.text);
        assert!(
            lines.contains(&"https://app.example.com/verify#token=abc_DEF-123"),
            "{kind:?}: {}",
            mail.text
        );
        for part in [&mail.text, &mail.html] {
            assert!(part.contains("24 hours") && part.contains("abc_DEF-123"), "{kind:?}: {part}");
        }
        assert!(!mail.subject.contains("abc_DEF-123"));
    }
}

#[test]
fn mails_that_only_tell_have_no_token_even_when_the_context_does() {
    for kind in MailKind::ALL.into_iter().filter(|kind| !kind.carries_token()) {
        let mail = render(kind, &context());
        assert!(!format!("{}{}", mail.text, mail.html).contains("token"), "{kind:?}");
        assert_eq!(mail.html.contains("ann.new@example.com"), kind.names_new_identifier(), "{kind:?}");
        assert_eq!(mail.text.contains("ann.new@example.com"), kind.names_new_identifier(), "{kind:?}");
    }
}

#[test]
fn every_mail_names_the_application_and_fetches_nothing() {
    for kind in MailKind::ALL {
        let mail = render(kind, &context());
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(part.contains("Acme"), "{kind:?}: {part}");
        }
        for remote in ["src=", "url(", "<link", "@import", "<script"] {
            assert!(!mail.html.contains(remote), "{kind:?} has {remote}");
        }
        assert!(mail.text.is_ascii() && mail.html.is_ascii(), "{kind:?}");
        assert_eq!((mail.to.as_str(), mail.message_id.as_str()), ("Ann@example.com", "1@example.com"));
    }
}

#[test]
fn the_verify_mail_says_what_to_do_when_somebody_else_made_the_account() {
    let mail = render(MailKind::Verify, &context());
    for part in [&mail.text, &mail.html] {
        let words = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("If you did not create this account, do not open the link"), "{words}");
        assert!(
            words.contains("take the address back at any time by asking Acme for a password reset"),
            "{words}"
        );
    }
}

#[test]
fn html_escapes_a_hostile_address_and_name() {
    let hostile = MailContext {
        app_name: "A&B",
        recipient: "\"><img src=x onerror=alert(1)>\"@example.com",
        new_identifier: Some("<script>alert(2)</script>@example.com"),
        link: Some("https://example.com/\"onmouseover=\"x"),
        ..context()
    };
    for kind in MailKind::ALL {
        let html = render(kind, &hostile).html;
        for raw in ["<img", "<script", "\"onmouseover", "A&B"] {
            assert!(!html.contains(raw), "{kind:?} has {raw}: {html}");
        }
        assert!(html.contains("A&amp;B"));
    }
}

#[test]
fn no_value_adds_a_header_or_a_line() {
    let hostile = MailContext {
        app_name: "Acme\r\nBcc: all@example.com\r\ntoken=forged",
        new_identifier: Some("x@example.com\ntoken=forged\u{2028}token=forged"),
        recipient: "ann@example.com\r\ntoken=forged",
        ..context()
    };
    for kind in MailKind::ALL {
        let mail = render(kind, &hostile);
        assert_eq!(mail.subject.lines().count(), 1, "{kind:?}: {}", mail.subject);
        assert!(!mail.subject.contains(char::is_control), "{kind:?}: {}", mail.subject);
        assert!(!mail.text.lines().any(|line| line.starts_with("token=forged")), "{kind:?}: {}", mail.text);
    }
}

#[test]
fn a_context_that_lacks_the_token_is_a_defect_and_no_mail() {
    let context = MailContext { token: None, ..context() };
    let error = Templates::default().render(MailKind::Verify, &context, "1@example.com").unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
}

#[test]
fn templates_of_the_application_replace_the_embedded_ones() {
    let templates = Templates::default()
        .with_template(
            MailKind::Verify,
            "Willkommen bei {{ app_name }}\n",
            "{{ link }}\r\ntoken={{ token }}\r\n",
            "<p>{% for _ in range(1) %}{{ recipient }}{% endfor %}</p>",
        )
        .unwrap();
    let mail = templates.render(MailKind::Verify, &context(), "1@example.com").unwrap();
    assert_eq!(
        (mail.subject.as_str(), mail.html.as_str()),
        ("Willkommen bei Acme", "<p>Ann@example.com</p>")
    );
    let other = templates.render(MailKind::PasswordReset, &context(), "1@example.com").unwrap();
    assert_eq!(other, render(MailKind::PasswordReset, &context()));
    let shown = format!("{templates:?}");
    assert!(shown.contains("verify.txt") && !shown.contains("Willkommen"), "{shown}");
}

#[test]
fn a_template_that_does_not_parse_is_refused_with_its_place() {
    let message = refusal(MailKind::PasswordChanged, "s", "one\n{{ recipient", "h");
    assert!(message.starts_with("mail templates: syntax error"), "{message}");
    assert!(message.contains("password_changed.txt:2"), "{message}");
}

#[test]
fn an_unknown_variable_is_refused_even_in_a_branch_that_is_not_taken() {
    for html in ["{{ name }}", "{% if false %}{{ name }}{% endif %}"] {
        assert_eq!(
            refusal(MailKind::IdentifierChanged, "s", "t", html),
            "mail templates: `identifier_changed.html` names `name`, which it does not have; \
             it has `app_name`, `recipient`, `new_identifier`"
        );
    }
    assert_eq!(
        refusal(MailKind::PasswordChanged, "s", "{{ token }}", "h"),
        "mail templates: `password_changed.txt` names `token`, which it does not have; it has `app_name`, `recipient`"
    );
}

#[test]
fn a_token_mail_without_token_line_or_link_is_refused() {
    for text in ["{{ link }}", "{{ link }} token={{ token }}", "{{ link }}\n token={{ token }}"] {
        assert_eq!(
            refusal(MailKind::PasswordReset, "s", text, "h"),
            "mail templates: `password_reset.txt` lacks the token; write `token={{ token }}` on a line of its own"
        );
    }
    assert_eq!(
        refusal(MailKind::PasswordReset, "s", "token={{ token }}", "h"),
        "mail templates: `password_reset.txt` lacks the link; write `{{ link }}`"
    );
}

#[test]
fn a_subject_is_one_line_without_the_token() {
    let text = "{{ link }}\ntoken={{ token }}";
    for (subject, problem) in [
        ("\n", "is empty; write a subject of one line"),
        ("a\nb", "has more than one line; write a subject of one line"),
        ("{{ link }}", "shows the token; leave `{{ token }}` and `{{ link }}` to the text"),
    ] {
        assert_eq!(
            refusal(MailKind::Verify, subject, text, "h"),
            format!("mail templates: `verify.subject` {problem}")
        );
    }
}

#[test]
fn a_folder_replaces_what_it_has_and_names_what_it_may_have() {
    let folder = std::env::temp_dir().join(format!("users-mail-templates-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("verify.subject"), "Hi from {{ app_name }}\n").unwrap();
    fs::write(folder.join(".gitkeep"), "").unwrap();
    let mail = Templates::default()
        .with_folder(&folder)
        .unwrap()
        .render(MailKind::Verify, &context(), "1@example.com")
        .unwrap();
    assert_eq!(mail.subject, "Hi from Acme");
    assert_eq!(mail.text, render(MailKind::Verify, &context()).text);

    fs::write(folder.join("verfy.txt"), "").unwrap();
    let message = Templates::default().with_folder(&folder).unwrap_err().to_string();
    assert!(
        message.contains("verfy.txt` is no template; the templates are `verify.subject`, `verify.txt`"),
        "{message}"
    );
    assert!(message.ends_with("`identifier_changed.html`"), "{message}");
    fs::remove_dir_all(&folder).unwrap();

    let message = Templates::default().with_folder(&folder).unwrap_err().to_string();
    assert!(message.contains("cannot be read"), "{message}");
}
