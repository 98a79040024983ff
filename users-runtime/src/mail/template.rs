//! The words of the mails: embedded templates, templates of the application, and rendering.

use std::{borrow::Cow, collections::HashMap, fmt, fs, path::Path, time::Duration};

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::message::{MailContext, MailKind, RenderedMail, in_words};
use crate::error::Error;

/// The name of this setting in messages of refusal.
const SETTING: &str = "mail templates";

/// The templates of every [`MailKind`]: a subject, a plain text and an HTML part each, in the syntax of Jinja.
///
/// The variables are `app_name` and `recipient`; in mails that carry a token also `link`, `token` and `valid_for`; in
/// mails about another identifier also `new_identifier`; in the mail about a deletion also `until`. HTML parts escape them. A template that names anything else
/// is refused when it is added, not when the first mail should leave.
#[derive(Clone)]
pub struct Templates {
    environment: Environment<'static>,
    replaced: HashMap<(MailKind, Part), String>,
}

/// One of the three templates of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    fn file_name(self, kind: MailKind) -> String {
        let extension = match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        };
        format!("{}.{extension}", kind.as_str())
    }
}

/// Expands to a match over the kinds, because `include_str!` takes literals alone.
macro_rules! embedded {
    ($kind:expr, $extension:literal) => {
        match $kind {
            MailKind::Verify => include_str!(concat!("templates/verify.", $extension)),
            MailKind::PasswordReset => include_str!(concat!("templates/password_reset.", $extension)),
            MailKind::ConfirmIdentifier => include_str!(concat!("templates/confirm_identifier.", $extension)),
            MailKind::Invitation => include_str!(concat!("templates/invitation.", $extension)),
            MailKind::AlreadyRegistered => include_str!(concat!("templates/already_registered.", $extension)),
            MailKind::PasswordChanged => include_str!(concat!("templates/password_changed.", $extension)),
            MailKind::IdentifierChangeRequested => {
                include_str!(concat!("templates/identifier_change_requested.", $extension))
            }
            MailKind::IdentifierChanged => include_str!(concat!("templates/identifier_changed.", $extension)),
            MailKind::DeletionRequested => include_str!(concat!("templates/deletion_requested.", $extension)),
            MailKind::DeletionCancelled => include_str!(concat!("templates/deletion_cancelled.", $extension)),
        }
    };
}

fn embedded(kind: MailKind, part: Part) -> &'static str {
    match part {
        Part::Subject => embedded!(kind, "subject"),
        Part::Text => embedded!(kind, "txt"),
        Part::Html => embedded!(kind, "html"),
    }
}

impl Default for Templates {
    /// Plain English, without remote content.
    fn default() -> Self {
        let mut environment = Environment::new();
        // A missing value must not become a mail with a hole in it.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        Self { environment, replaced: HashMap::new() }
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut replaced: Vec<_> = self.replaced.keys().map(|&(kind, part)| part.file_name(kind)).collect();
        replaced.sort_unstable();
        f.debug_struct("Templates").field("replaced", &replaced).finish_non_exhaustive()
    }
}

impl Templates {
    /// Replaces the templates of one kind.
    ///
    /// # Errors
    /// [`Error::Setting`] when one does not parse or names an unknown variable, when the subject is not one line, or
    /// when the text of a mail that carries a token has no line `token={{ token }}` or no `{{ link }}`.
    pub fn with_template(
        mut self,
        kind: MailKind,
        subject: impl Into<String>,
        text: impl Into<String>,
        html: impl Into<String>,
    ) -> Result<Self, Error> {
        self.replaced.insert((kind, Part::Subject), subject.into());
        self.replaced.insert((kind, Part::Text), text.into());
        self.replaced.insert((kind, Part::Html), html.into());
        self.check(kind)?;
        Ok(self)
    }

    /// Replaces those templates that the folder has: `verify.subject`, `verify.txt`, `verify.html`,
    /// `password_reset.subject` and so on. Hidden files are passed over.
    ///
    /// # Errors
    /// [`Error::Setting`] when the folder cannot be read, when it has a file of another name, and for what
    /// [`Templates::with_template`] refuses.
    pub fn with_folder(mut self, folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let unreadable = |error| refused(format!("`{}` cannot be read: {error}", folder.display()));
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let key = template_named(&name).ok_or_else(|| {
                let known: Vec<_> = every_template().map(|(kind, part)| part.file_name(kind)).collect();
                refused(format!(
                    "`{}` is no template; the templates are {}",
                    path.display(),
                    in_backticks(&known)
                ))
            })?;
            let source = fs::read_to_string(&path)
                .map_err(|error| refused(format!("`{}` cannot be read: {error}", path.display())))?;
            self.replaced.insert(key, source);
        }
        for kind in MailKind::ALL {
            self.check(kind)?;
        }
        Ok(self)
    }

    /// Renders a mail; `message_id` is its `Message-ID` without angle brackets, the same for each attempt.
    ///
    /// Line breaks and other control characters in the values become spaces, so that no value adds a header or a
    /// `token=` line.
    ///
    /// # Errors
    /// [`Error::Internal`] when the context lacks what the kind needs.
    pub fn render(
        &self,
        kind: MailKind,
        context: &MailContext<'_>,
        message_id: impl Into<String>,
    ) -> Result<RenderedMail, Error> {
        let variables = Variables::of(kind, context);
        let render = |part| self.render_part(kind, part, &variables).map_err(Error::internal);
        Ok(RenderedMail {
            to: context.recipient.to_owned(),
            // Header injection: whatever the template and its values hold, the subject is one line.
            subject: one_line(render(Part::Subject)?.trim()).into_owned(),
            text: render(Part::Text)?,
            html: render(Part::Html)?,
            message_id: message_id.into(),
        })
    }

    fn render_part(
        &self,
        kind: MailKind,
        part: Part,
        variables: &Variables<'_>,
    ) -> Result<String, minijinja::Error> {
        // The name decides on the escaping: `.html` has it.
        self.environment.render_named_str(&part.file_name(kind), self.source(kind, part), variables)
    }

    fn source(&self, kind: MailKind, part: Part) -> &str {
        self.replaced.get(&(kind, part)).map_or_else(|| embedded(kind, part), String::as_str)
    }

    /// Renders the templates of a kind with a sample and looks at what comes out.
    fn check(&self, kind: MailKind) -> Result<(), Error> {
        for part in Part::ALL {
            self.check_names(kind, part)?;
        }
        let variables = Variables::of(kind, &SAMPLE);
        let render =
            |part| self.render_part(kind, part, &variables).map_err(|error| refused(error.to_string()));
        let (subject, text) = (render(Part::Subject)?, render(Part::Text)?);
        render(Part::Html)?;
        check_subject(subject.trim())
            .map_err(|problem| refused(format!("`{}` {problem}", Part::Subject.file_name(kind))))?;
        if kind.carries_token() {
            check_token_text(&text)
                .map_err(|problem| refused(format!("`{}` {problem}", Part::Text.file_name(kind))))?;
        }
        Ok(())
    }

    /// Refuses unknown variables in branches that the sample does not reach, too.
    fn check_names(&self, kind: MailKind, part: Part) -> Result<(), Error> {
        let name = part.file_name(kind);
        let template = self
            .environment
            .template_from_named_str(&name, self.source(kind, part))
            .map_err(|error| refused(error.to_string()))?;
        let known = Variables::names(kind);
        let mut unknown: Vec<_> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|used| !known.contains(&used.as_str()))
            .filter(|used| self.environment.globals().all(|(global, _)| global != used))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort_unstable();
        let (unknown, known) = (in_backticks(&unknown), in_backticks(&known));
        Err(refused(format!("`{name}` names {unknown}, which it does not have; it has {known}")))
    }
}

fn every_template() -> impl Iterator<Item = (MailKind, Part)> {
    MailKind::ALL.into_iter().flat_map(|kind| Part::ALL.map(|part| (kind, part)))
}

fn template_named(file_name: &str) -> Option<(MailKind, Part)> {
    every_template().find(|&(kind, part)| part.file_name(kind) == file_name)
}

fn refused(problem: String) -> Error {
    Error::Setting { name: SETTING, problem }
}

fn in_backticks(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// What a template sees; what is `None` is undefined, which is an error to use.
#[derive(Serialize)]
struct Variables<'a> {
    app_name: Cow<'a, str>,
    recipient: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_identifier: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Cow<'a, str>>,
}

impl<'a> Variables<'a> {
    /// The part of the context that a kind has a right to.
    fn of(kind: MailKind, context: &MailContext<'a>) -> Self {
        let with_token = kind.carries_token();
        Self {
            app_name: one_line(context.app_name),
            recipient: one_line(context.recipient),
            link: context.link.filter(|_| with_token).map(one_line),
            token: context.token.filter(|_| with_token).map(one_line),
            valid_for: context.valid_for.filter(|_| with_token).map(in_words),
            new_identifier: context.new_identifier.filter(|_| kind.names_new_identifier()).map(one_line),
            until: context.until.filter(|_| kind.names_end()).map(one_line),
        }
    }

    fn names(kind: MailKind) -> Vec<&'static str> {
        let mut names = vec!["app_name", "recipient"];
        if kind.carries_token() {
            names.extend(["link", "token", "valid_for"]);
        }
        if kind.names_new_identifier() {
            names.push("new_identifier");
        }
        if kind.names_end() {
            names.push("until");
        }
        names
    }
}

/// The same text with a space for each control character and line separator.
fn one_line(text: &str) -> Cow<'_, str> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(breaks) { Cow::Owned(text.replace(breaks, " ")) } else { Cow::Borrowed(text) }
}

const SAMPLE_LINK: &str = "https://sample.example/sample#token=sample-token";
const SAMPLE_TOKEN: &str = "sample-token";
const SAMPLE: MailContext<'static> = MailContext {
    app_name: "Sample",
    recipient: "recipient@sample.example",
    link: Some(SAMPLE_LINK),
    token: Some(SAMPLE_TOKEN),
    valid_for: Some(Duration::from_hours(1)),
    new_identifier: Some("new@sample.example"),
    until: Some("2030-01-31 12:05 UTC"),
};

fn check_subject(subject: &str) -> Result<(), &'static str> {
    if subject.is_empty() {
        return Err("is empty; write a subject of one line");
    }
    if subject.contains(char::is_control) {
        return Err("has more than one line; write a subject of one line");
    }
    // Mail servers log subjects.
    if subject.contains(SAMPLE_TOKEN) {
        return Err("shows the token; leave `{{ token }}` and `{{ link }}` to the text");
    }
    Ok(())
}

fn check_token_text(text: &str) -> Result<(), &'static str> {
    let is_token_line = |line: &str| line.strip_prefix("token=") == Some(SAMPLE_TOKEN);
    if !text.lines().any(is_token_line) {
        return Err("lacks the token; write `token={{ token }}` on a line of its own");
    }
    if !text.contains(SAMPLE_LINK) {
        return Err("lacks the link; write `{{ link }}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
