//! The commands of an application: users, roles, migrations, imports and exports, from the machine it runs on.
//!
//! `#[users_app]` generates `cli(database_url, configure)`, which is one line of `main`: without a command it returns, and
//! the server starts; with one it does it and ends the process.
//!
//! | command | what it does |
//! | --- | --- |
//! | `create-user --email ada@example.com` | stores a user; the password is asked for twice and not shown |
//! | `invite --email ada@example.com` | prints a link to register with, or sends it with `--send`; `--role`, `--expires 7d` |
//! | `create-role`, `assign-role`, `revoke-role` | roles, and who has them |
//! | `list-users` | a page of users by `--search`, `--filter field=value` and `--sort` |
//! | `events` | a page of what happened to accounts, of one with `--user` |
//! | `activate-user`, `deactivate-user` | whether an account may be used |
//! | `unlock-user` | ends the lock of an account after too many wrong passwords |
//! | `reset-password` | sends the mail by which a user chooses a password, or sets one with `--prompt` |
//! | `generate-secret` | a value for `SECRET_KEY` |
//! | `migrate` | the library's tables; `--check` prints what else differs, `--apply` mends what is safe |
//! | `import-users FILE`, `export-users` | CSV and JSON lines |
//! | `openapi` | the OpenAPI document, which needs no database |
//! | `generate-client --typescript` | a client in one file; `--document FILE` writes it from a document with your own routes |
//!
//! The identifier's argument is called like its field. Every field of `UserImport` may be given as `--set field=value`,
//! also one that no request carries; its type says how the text is read, and `null` is the absence of a value. Passwords
//! are never arguments: they are asked for on a terminal, or read from standard input with `--password-stdin`. A program
//! with tenants takes `--tenant` in each command. With `--json`, the answer is one JSON document on standard output and an
//! error one on standard error, `{"error": {"code", "detail"}}`.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | failed |
//! | 2 | wrong arguments |
//! | 3 | the database does not fit the program (`migrate`) |
//! | 4 | done, but for rows that were refused (`import-users`) |
//!
//! # Imports
//! A row is a user: `id`, the identifier, `password` or `password_hash`, the flags, the fields of the struct, and `roles`,
//! a list in JSON and names with `;` between them in CSV. All but the identifier may be absent, which in CSV is an empty
//! cell. An account may be used unless the row says otherwise, and its mailbox is proven only if the row says so. A user
//! without a password chooses one by the mail for forgotten passwords. Hooks are not called, and no mail is sent.
//!
//! Rows are stored in batches, and how far the file is in the same transaction: a run that is killed at any moment is
//! continued by the same command, without a double or a loss. A row that breaks a rule, or whose identifier is taken, is
//! reported with its line, to standard error or to the file that `--rejected` names, and stops nobody else.
//!
//! `export-users` writes what a response shows, and with `--with-hashes` also the hashes, in the form that an import
//! reads. A cell of CSV that a spreadsheet would run gets a `'` in front, which an import takes away.

mod accounts;
mod args;
mod console;
#[cfg(feature = "openapi")]
mod document;
mod events;
mod export;
mod failure;
mod import;
mod list;
mod migrate;
mod output;
mod progress;
mod rows;
#[cfg(feature = "openapi")]
mod typescript;

use std::{env, ffi::OsString, process};

use crate::{
    app::Application,
    error::Error,
    model::{Tenant, UserModel},
    secret::SecretKey,
    service::{Scope, Users, UsersBuilder},
    text,
};

use self::{
    args::{Cli, Command},
    console::Console,
    failure::{Exit, Failure},
};

type User<A> = <A as Application>::User;

/// Does the command that the process was started with, and ends the process; returns when there is none.
///
/// `url` is the database's. `configure` is called by the commands that need the application's settings, and gives a
/// [`Config`] or, for a backend or hooks that have no `Default`, a [`UsersBuilder`].
///
/// [`Config`]: crate::Config
pub async fn run<A, B, F>(url: &str, configure: F)
where
    A: Application,
    B: Into<UsersBuilder<A>>,
    F: FnOnce() -> Result<B, Error>,
{
    let arguments: Vec<_> = env::args_os().collect();
    if arguments.len() > 1 {
        let exit = execute(arguments, url, configure, &mut Console::of_process()).await;
        process::exit(exit.code());
    }
}

async fn execute<A, B, F>(arguments: Vec<OsString>, url: &str, configure: F, console: &mut Console) -> Exit
where
    A: Application,
    B: Into<UsersBuilder<A>>,
    F: FnOnce() -> Result<B, Error>,
{
    // Known before the arguments are, so that what is wrong with them is a document too.
    console.json = arguments.iter().any(|argument| argument == "--json");
    let fields = text::fields::<<User<A> as UserModel>::Import>();
    let done = match args::parse(arguments, User::<A>::IDENTIFIER.field, fields) {
        Ok(cli) => command::<A, B, F>(cli, url, configure, console).await,
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|failure| failure.report(console))
}

async fn command<A, B, F>(cli: Cli, url: &str, configure: F, console: &mut Console) -> Result<Exit, Failure>
where
    A: Application,
    B: Into<UsersBuilder<A>>,
    F: FnOnce() -> Result<B, Error>,
{
    let builder = || configure().map(Into::<UsersBuilder<A>>::into);
    match &cli.command {
        Command::GenerateSecret => {
            let secret = SecretKey::generate().map_err(Error::from)?.to_base64();
            console.answer(&*secret, &serde_json::json!({ "secret": &*secret }))?;
            return Ok(Exit::Done);
        }
        #[cfg(feature = "openapi")]
        Command::OpenApi(arguments) => {
            return document::print::<A>(builder()?.config(), arguments, console);
        }
        #[cfg(feature = "openapi")]
        Command::GenerateClient(arguments) => {
            return document::generate_client(builder, arguments, console);
        }
        Command::Migrate(arguments) => return migrate::run::<A>(builder()?, url, arguments, console).await,
        _ => {}
    }
    let tenant = tenant::<A>(cli.tenant.as_deref())?;
    let builder = builder()?;
    let database = builder.database(url).await?;
    let users: Users<A> = builder.open(database).await?;
    in_scope(cli.command, &users.scope(tenant), console).await
}

async fn in_scope<A: Application>(
    command: Command,
    users: &Scope<A>,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match command {
        Command::CreateUser(arguments) => accounts::create(users, &arguments, console).await?,
        Command::Invite(arguments) => accounts::invite(users, &arguments, console).await?,
        Command::CreateRole(arguments) => accounts::create_role(users, &arguments, console).await?,
        Command::AssignRole(arguments) => accounts::assign_role(users, &arguments, console).await?,
        Command::RevokeRole(arguments) => accounts::revoke_role(users, &arguments, console).await?,
        Command::ActivateUser(arguments) => accounts::set_active(users, &arguments, true, console).await?,
        Command::DeactivateUser(arguments) => accounts::set_active(users, &arguments, false, console).await?,
        Command::UnlockUser(arguments) => accounts::unlock(users, &arguments, console).await?,
        Command::ResetPassword(arguments) => accounts::reset_password(users, &arguments, console).await?,
        Command::ListUsers(arguments) => list::run(users, arguments, console).await?,
        Command::Events(arguments) => events::run(users, &arguments, console).await?,
        Command::ExportUsers(arguments) => export::run(users, &arguments, console).await?,
        Command::ImportUsers(arguments) => return import::run(users, &arguments, console).await,
        Command::GenerateSecret | Command::Migrate(_) => {}
        #[cfg(feature = "openapi")]
        Command::OpenApi(_) | Command::GenerateClient(_) => {}
    }
    Ok(Exit::Done)
}

/// The tenant that a command works in.
fn tenant<A: Application>(text: Option<&str>) -> Result<<User<A> as UserModel>::Tenant, Failure> {
    type Of<A> = <User<A> as UserModel>::Tenant;
    let has_tenants = Of::<A>::parse(None).is_none();
    Of::<A>::parse(text).ok_or_else(|| {
        Failure::usage(match text {
            None => "users belong to tenants here; name one with `--tenant`".to_owned(),
            Some(text) if has_tenants => format!("`{text}` is not the key of a tenant"),
            Some(_) => "there are no tenants here; leave `--tenant` out".to_owned(),
        })
    })
}
