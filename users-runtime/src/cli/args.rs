//! The commands and their arguments.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::rows::Format;

/// Manage the users of this application. Without a command, the server starts.
#[derive(Debug, Parser)]
#[command(
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 the database does not fit the program \
                  (`migrate`), 4 done but for rows that were refused (`import-users`)."
)]
pub(super) struct Cli {
    /// Answer in JSON: one document on standard output, errors on standard error.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// The tenant to work in, for an application with tenants.
    #[arg(long, global = true)]
    pub(super) tenant: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Store a user; the password is asked for, twice.
    CreateUser(CreateUser),
    /// Ask somebody to register: print the link, or send it by mail.
    Invite(Invite),
    /// Store a role.
    CreateRole(CreateRole),
    /// Give a user a role.
    AssignRole(Membership),
    /// Take a role from a user.
    RevokeRole(Membership),
    /// Show users, a page at a time.
    ListUsers(ListUsers),
    /// Show what happened to accounts, the latest first.
    Events(Events),
    /// Let an account be used again.
    ActivateUser(User),
    /// Refuse an account, and end its sessions.
    DeactivateUser(User),
    /// Lift the lock of an account after too many wrong passwords.
    UnlockUser(User),
    /// Send a user the mail to choose a new password, or set one here.
    ResetPassword(ResetPassword),
    /// Print a new random value for `SECRET_KEY`.
    GenerateSecret,
    /// Bring the database up to this program.
    Migrate(Migrate),
    /// Store the users of a file; run it again to go on where it stopped.
    ImportUsers(ImportUsers),
    /// Write all users to standard output or to a file, in a form that can be imported.
    ExportUsers(ExportUsers),
    /// Print the OpenAPI document of the generated routes.
    #[cfg(feature = "openapi")]
    #[command(name = "openapi")]
    OpenApi(Document),
    /// Write a client of the routes in another language.
    #[cfg(feature = "openapi")]
    GenerateClient(GenerateClient),
}

#[cfg(feature = "openapi")]
#[derive(Debug, Args)]
pub(super) struct Document {
    /// The file to write, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[cfg(feature = "openapi")]
#[derive(Debug, Args)]
pub(super) struct GenerateClient {
    /// In TypeScript: types and `fetch` calls in one file that needs no other.
    #[arg(long, required = true)]
    pub(super) typescript: bool,
    /// The OpenAPI document to write it from, such as one that has the application's own routes, and `-` for standard
    /// input; by default that of the generated routes.
    #[arg(long, value_name = "FILE")]
    pub(super) document: Option<PathBuf>,
    /// The file to write, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CreateUser {
    /// What the user logs in with.
    #[arg(long, id = "identifier", value_name = "IDENTIFIER", required = true)]
    pub(super) identifier: String,
    /// The key, instead of a new one.
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Whether the account may be used; it may by default.
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "BOOL", default_missing_value = "true")]
    pub(super) is_active: Option<bool>,
    /// Whether the mailbox counts as proven; it does not by default.
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "BOOL", default_missing_value = "true")]
    pub(super) is_verified: Option<bool>,
    /// A role of the user, which is stored if it is not there; repeatable.
    #[arg(long = "role", value_name = "NAME")]
    pub(super) roles: Vec<String>,
    /// A field of the user; repeatable.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = assignment)]
    pub(super) fields: Vec<Assignment>,
    #[command(flatten)]
    pub(super) password: PasswordSource,
}

#[derive(Debug, Args)]
pub(super) struct Invite {
    /// What the user will log in with.
    #[arg(long, id = "identifier", value_name = "IDENTIFIER", required = true)]
    pub(super) identifier: String,
    /// A role that the user gets; repeatable.
    #[arg(long = "role", value_name = "NAME")]
    pub(super) roles: Vec<String>,
    /// How long the invitation is good, such as `7d`, `12h` or `30m`; by default what the settings say.
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(super) expires: Option<Duration>,
    /// Send it by mail instead of printing it; the application's server sends the mail.
    #[arg(long)]
    pub(super) send: bool,
}

#[derive(Debug, Args)]
pub(super) struct PasswordSource {
    /// Read the password from the first line of standard input.
    #[arg(long)]
    pub(super) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct CreateRole {
    /// The role's name.
    pub(super) name: String,
    /// A field of the role; repeatable.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = assignment)]
    pub(super) fields: Vec<Assignment>,
}

#[derive(Debug, Args)]
pub(super) struct User {
    /// What the user logs in with, or the key.
    pub(super) user: String,
}

#[derive(Debug, Args)]
pub(super) struct Membership {
    /// What the user logs in with, or the key.
    pub(super) user: String,
    /// The role's name.
    pub(super) role: String,
}

#[derive(Debug, Args)]
pub(super) struct ListUsers {
    /// Only users whose identifier starts like this.
    #[arg(long)]
    pub(super) search: Option<String>,
    /// How many at once.
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
    /// Go on behind a page: its `next`.
    #[arg(long, value_name = "NEXT", allow_hyphen_values = true)]
    pub(super) after: Option<String>,
    /// The field to sort by, `-` in front for the other way round.
    #[arg(long, allow_hyphen_values = true)]
    pub(super) sort: Option<String>,
    /// Only users whose field has this value; repeatable.
    #[arg(long = "filter", value_name = "FIELD=VALUE", value_parser = assignment)]
    pub(super) filters: Vec<Assignment>,
    /// Also count all that match.
    #[arg(long)]
    pub(super) total: bool,
}

#[derive(Debug, Args)]
pub(super) struct Events {
    /// Only what happened to the account of this user: what the user logs in with, or the key, also of one who was deleted.
    #[arg(long)]
    pub(super) user: Option<String>,
    /// Only what is of this kind, such as `login`.
    #[arg(long)]
    pub(super) kind: Option<String>,
    /// How many at once.
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
    /// Go on behind a page: its `next`.
    #[arg(long, value_name = "NEXT", allow_hyphen_values = true)]
    pub(super) after: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ResetPassword {
    /// What the user logs in with, or the key.
    pub(super) user: String,
    /// Ask for the new password here, twice, instead of sending a mail.
    #[arg(long, conflicts_with = "password_stdin")]
    pub(super) prompt: bool,
    #[command(flatten)]
    pub(super) password: PasswordSource,
}

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Change nothing: print what differs and the statements that would mend it.
    #[arg(long, conflicts_with = "apply")]
    pub(super) check: bool,
    /// Also change the tables of users and roles, as far as no row can be lost or refused.
    #[arg(long)]
    pub(super) apply: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportUsers {
    /// The file: CSV with the names of the fields in its first line, or a JSON object a line.
    pub(super) file: PathBuf,
    /// How the file is written; by default what its name ends in.
    #[arg(long)]
    pub(super) format: Option<Format>,
    /// How many users are stored at once.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) batch: u32,
    /// Store nothing: read and check every row.
    #[arg(long, conflicts_with = "restart")]
    pub(super) dry_run: bool,
    /// Start at the first row, though an earlier run of the same file came further.
    #[arg(long)]
    pub(super) restart: bool,
    /// Where the rows that are refused are written to, a JSON object a line, instead of to standard error.
    #[arg(long, value_name = "FILE")]
    pub(super) rejected: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExportUsers {
    /// How to write them; by default what the name of `--output` ends in, and JSON lines without one.
    #[arg(long)]
    pub(super) format: Option<Format>,
    /// The file to write, which nobody else may read and which must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// With the password hashes, which are secrets: only to a file.
    #[arg(long, requires = "output")]
    pub(super) with_hashes: bool,
}

/// A number and its unit.
fn lifetime(text: &str) -> Result<Duration, String> {
    let problem = || "write a number and a unit, such as `7d`, `12h` or `30m`".to_owned();
    let seconds = match text.chars().last() {
        Some('d') => 24 * 60 * 60,
        Some('h') => 60 * 60,
        Some('m') => 60,
        _ => return Err(problem()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| problem())?;
    if number == 0 {
        return Err("must be more than nothing".to_owned());
    }
    Ok(Duration::from_secs(seconds * u64::from(number)))
}

/// `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: String,
}

fn assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok(Assignment { name: name.trim().to_owned(), value: value.to_owned() })
        }
        _ => Err("write a field and its value with `=` between them".to_owned()),
    }
}

/// The pairs that a deserializer reads.
pub(super) fn pairs(assignments: &[Assignment]) -> impl Iterator<Item = (&str, &str)> {
    assignments.iter().map(|Assignment { name, value }| (name.as_str(), value.as_str()))
}

/// Reads the arguments of an application whose users log in with the field `identifier`, and whose struct takes
/// `fields`.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    identifier: &'static str,
    fields: &[&str],
) -> Result<Cli, clap::Error> {
    let fields: Vec<_> =
        fields.iter().filter(|name| !SPECIAL.contains(name) && **name != identifier).collect();
    let with_identifier = move |command: clap::Command| {
        command.mut_arg("identifier", |arg| {
            arg.long(identifier.replace('_', "-")).value_name(identifier.to_uppercase())
        })
    };
    let command =
        Cli::command().mut_subcommand("invite", with_identifier).mut_subcommand("create-user", |command| {
            let command = with_identifier(command);
            if fields.is_empty() {
                return command;
            }
            let names: Vec<_> = fields.iter().map(|name| format!("`{name}`")).collect();
            command.mut_arg("fields", |arg| {
                arg.help(format!("A field of the user: {}; repeatable", names.join(", ")))
            })
        });
    Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

/// The fields that have arguments of their own, or that no argument may carry.
pub(super) const SPECIAL: &[&str] = &["id", "password", "password_hash", "is_active", "is_verified"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        let arguments = line.split_whitespace().map(OsString::from);
        parse(arguments, "user_name", &["id", "user_name", "password", "age", "plan"])
    }

    fn help(line: &str) -> String {
        parsed(line).expect_err("help").to_string()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_identifiers_argument_has_the_fields_name_and_the_fields_are_listed() {
        let help = help("app create-user --help");
        assert!(help.contains("--user-name <USER_NAME>"), "{help}");
        assert!(help.contains("A field of the user: `age`, `plan`; repeatable"), "{help}");
    }

    #[test]
    fn flags_are_true_when_they_are_named_and_take_a_value() {
        for (line, active, verified) in [
            ("app create-user --user-name x", None, None),
            ("app create-user --is-active --is-verified --user-name x", Some(true), Some(true)),
            ("app create-user --user-name x --is-active=false --is-verified=true", Some(false), Some(true)),
        ] {
            let Ok(Cli { command: Command::CreateUser(user), .. }) = parsed(line) else { panic!("{line}") };
            assert_eq!((user.is_active, user.is_verified), (active, verified), "{line}");
        }
    }

    #[test]
    fn a_lifetime_is_a_number_with_a_unit() {
        for (text, seconds) in [("7d", 604_800), ("12h", 43_200), ("30m", 1800)] {
            assert_eq!(lifetime(text).unwrap(), Duration::from_secs(seconds));
        }
        for wrong in ["", "d", "7", "-1d", "1.5h", "0d", "7 d", "7ä", "99999999999d"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
        assert!(help("app invite --help").contains("--user-name <USER_NAME>"));
    }

    #[test]
    fn assignments_keep_everything_behind_the_first_equals_sign() {
        let Ok(Cli { command: Command::CreateRole(role), json: true, .. }) =
            parsed("app create-role r --set a=b=c --set d= --json")
        else {
            panic!("it parses");
        };
        assert_eq!(pairs(&role.fields).collect::<Vec<_>>(), [("a", "b=c"), ("d", "")]);
        for wrong in ["x", "=x"] {
            let message = help(&format!("app create-role r --set {wrong}"));
            assert!(message.contains("write a field and its value with `=` between them"), "{message}");
        }
    }

    #[test]
    fn a_password_is_no_argument_and_hashes_need_a_file() {
        assert!(
            help("app create-user --user-name x --password y").contains("unexpected argument '--password'")
        );
        assert!(help("app export-users --with-hashes").contains("--output <FILE>"));
    }
}
