//! Users that come from elsewhere: one that an operator types, or a million out of a file.

mod account;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
};

use tokio::task::JoinSet;

pub use account::{Imported, NewAccount, Refused};

use super::{Scope, new_identifier, no_request};
use crate::{
    app::Application,
    db::{ImportStep, Refusal, Storable, Transaction},
    error::Error,
    event::{EventKind, NewEvent},
    hooks::Hooks,
    model::{ImportDto, NewUser, RoleModel, UserId, UserModel},
    password,
    secret::{Password, PasswordHash},
    validate::{CanonicalIdentifier, FieldErrors, Violation, canonical_role_name},
};

type User<A> = <A as Application>::User;

/// Reports what is refused.
pub(crate) type Tell<'a> = &'a mut (dyn FnMut(&Imported) -> io::Result<()> + Send);

/// An account that keeps the rules, before it has a hash.
struct Checked<U: UserModel> {
    index: usize,
    identifier: CanonicalIdentifier,
    account: NewAccount<U>,
    /// In the form that is compared.
    roles: Vec<String>,
}

/// A user who can be stored.
struct Ready<U> {
    index: usize,
    user: U,
    canonical: String,
    roles: Vec<String>,
}

impl<A: Application> Scope<A> {
    /// Stores a user without a registration, as an operator does: own fields that no registration carries, flags, roles
    /// and key may be given. The password keeps the policy; the hook `after_register` is called; no mail is sent, and
    /// the mailbox counts as proven only when the account says so. Without a password the user chooses one by the
    /// mail for forgotten passwords.
    ///
    /// # Errors
    /// [`Error::Validation`] and [`Error::IdentifierTaken`], and what hook and database say.
    pub async fn create_account(&self, account: NewAccount<User<A>>) -> Result<User<A>, Error> {
        let checked = self.check_account(0, account)?;
        let Ready { user, canonical, roles, .. } = self.ready(checked).await?;
        let mut transaction = self.directory().database.begin().await?;
        let given = is_given(user.id());
        let user = transaction.insert_user(user, &canonical).await?;
        if given {
            transaction.skip_keys::<User<A>>().await?;
        }
        for role in &roles {
            self.assign_in(&mut transaction, role, &[&canonical]).await?;
        }
        self.record(&mut transaction, NewEvent::new(EventKind::Registered).of(user.id()).managed()).await?;
        self.hooks().after_register(&no_request(), &user, &mut transaction).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Stores users in one transaction. One that breaks a rule, or whose identifier is taken, is refused and stops
    /// nobody else. No hook is called and no mail is sent.
    ///
    /// Stored hashes are accepted when they are of Argon2 or of a scheme that the configuration knows.
    ///
    /// # Errors
    /// When the database does not answer; then nobody is stored.
    pub async fn import_users(&self, accounts: Vec<NewAccount<User<A>>>) -> Result<Imported, Error> {
        self.import_step(accounts, None).await
    }

    /// The same, and in the same transaction the note of how far a file is. What is refused is told before the commit.
    pub(crate) async fn import_step(
        &self,
        accounts: Vec<NewAccount<User<A>>>,
        step: Option<(ImportStep<'_>, Tell<'_>)>,
    ) -> Result<Imported, Error> {
        let (checked, mut refused) = self.check_accounts(accounts);
        let ready = self.hash_all(checked).await?;
        let mut transaction = self.directory().database.begin().await?;
        let stored = self.store_all(&mut transaction, ready, &mut refused).await?;
        refused.sort_by_key(|refused| refused.index);
        let imported = Imported { stored, refused };
        if let Some((step, tell)) = step {
            if !transaction.advance_import(&step).await? {
                return Err(Error::Setting {
                    name: "import-users",
                    problem: "another process imports the same file; nothing of this batch was stored"
                        .to_owned(),
                });
            }
            tell(&imported).map_err(Error::internal)?;
        }
        transaction.commit().await?;
        Ok(imported)
    }

    /// What [`Scope::import_users`] would refuse; nothing is stored and nothing hashed.
    pub(crate) async fn check_import(&self, accounts: Vec<NewAccount<User<A>>>) -> Result<Imported, Error> {
        let (checked, mut refused) = self.check_accounts(accounts);
        let canonicals: Vec<_> =
            checked.iter().map(|checked| checked.identifier.canonical.as_str()).collect();
        let mut transaction = self.directory().database.begin().await?;
        let known = transaction.known_identifiers::<User<A>>(self.tenant(), &canonicals).await?;
        let (taken, free): (Vec<_>, Vec<_>) =
            checked.iter().partition(|checked| known.contains(&checked.identifier.canonical));
        refused.extend(taken.iter().map(|checked| taken_at(checked.index)));
        refused.sort_by_key(|refused| refused.index);
        Ok(Imported { stored: free.len(), refused })
    }

    /// Those that keep the rules, and the others. Of two with one identifier, the first is kept.
    fn check_accounts(&self, accounts: Vec<NewAccount<User<A>>>) -> (Vec<Checked<User<A>>>, Vec<Refused>) {
        let mut identifiers = HashSet::with_capacity(accounts.len());
        let mut checked = Vec::with_capacity(accounts.len());
        let mut refused = Vec::new();
        for (index, account) in accounts.into_iter().enumerate() {
            match self.check_account(index, account) {
                Ok(account) if identifiers.insert(account.identifier.canonical.clone()) => {
                    checked.push(account);
                }
                Ok(_) => refused.push(taken_at(index)),
                Err(error) => refused.push(Refused { index, error }),
            }
        }
        (checked, refused)
    }

    fn check_account(&self, index: usize, account: NewAccount<User<A>>) -> Result<Checked<User<A>>, Error> {
        let mut errors = FieldErrors::default();
        let import = &account.import;
        let identifier = new_identifier::<User<A>>(import.identifier(), &mut errors);
        let password = account.password.as_ref().or(import.password());
        if let Some(password) = password {
            self.check_new_password("password", password, &[import.identifier()], &mut errors);
        }
        if let Some(hash) = import.password_hash() {
            errors.check("password_hash", self.check_hash(hash, password.is_some()));
        }
        let roles = roles::<User<A>>(&account.roles, &mut errors);
        import.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        let identifier =
            identifier.ok_or_else(|| Error::internal("an identifier was refused without a reason"))?;
        Ok(Checked { index, identifier, account, roles })
    }

    fn check_hash(&self, hash: &str, has_password: bool) -> Result<(), Violation> {
        if has_password {
            return Err(Violation::new("not_allowed", "stands beside a password; give one of the two"));
        }
        if password::is_known(hash, &self.directory().config.schemes) {
            return Ok(());
        }
        Err(Violation::new(
            "unknown_scheme",
            "is of no scheme that this application verifies; add it with `Config::with_scheme`",
        ))
    }

    /// Hashes the passwords of those that bring one, a core each, and leaves the others as they are.
    async fn hash_all(&self, checked: Vec<Checked<User<A>>>) -> Result<Vec<Ready<User<A>>>, Error> {
        let mut hashes = HashMap::new();
        let mut waiting =
            checked.iter().filter_map(|checked| Some((checked.index, checked.password()?.clone())));
        let mut running = JoinSet::new();
        loop {
            while running.len() < self.directory().config.hash_threads
                && let Some((index, password)) = waiting.next()
            {
                let pool = self.directory().passwords.clone();
                running.spawn(async move { (index, pool.hash(&password).await) });
            }
            let Some(done) = running.join_next().await else { break };
            let (index, hash) = done.map_err(Error::internal)?;
            hashes.insert(index, hash?);
        }
        drop(waiting);
        let ready = |checked: Checked<User<A>>| {
            let hash = hashes.remove(&checked.index);
            self.with_hash(checked, hash)
        };
        Ok(checked.into_iter().map(ready).collect())
    }

    async fn ready(&self, checked: Checked<User<A>>) -> Result<Ready<User<A>>, Error> {
        let hash = match checked.password() {
            Some(password) => Some(self.new_hash(password, &[&checked.identifier.typed]).await?),
            None => None,
        };
        Ok(self.with_hash(checked, hash))
    }

    fn with_hash(&self, checked: Checked<User<A>>, hash: Option<PasswordHash>) -> Ready<User<A>> {
        let Checked { index, identifier, account, roles } = checked;
        let NewAccount { import, id, active, verified, .. } = account;
        let password_hash = match (hash, import.password_hash()) {
            (Some(hash), _) => hash,
            (None, Some(hash)) => PasswordHash::from_phc(hash),
            (None, None) => password::unusable_hash(),
        };
        let new = NewUser {
            id: id.or_else(|| import.id()).unwrap_or_else(UserId::generate),
            identifier: identifier.typed,
            password_hash,
            active: active.or_else(|| import.active()).unwrap_or(true),
            verified: verified.or_else(|| import.verified()).unwrap_or(false),
            tenant: self.tenant().clone(),
        };
        Ready { index, user: User::<A>::from_import(import, new), canonical: identifier.canonical, roles }
    }

    /// Stores those whose identifier is free, with their roles, and answers how many those are.
    async fn store_all(
        &self,
        transaction: &mut Transaction,
        mut ready: Vec<Ready<User<A>>>,
        refused: &mut Vec<Refused>,
    ) -> Result<usize, Error> {
        let canonicals: Vec<_> = ready.iter().map(|ready| ready.canonical.as_str()).collect();
        let known = transaction.known_identifiers::<User<A>>(self.tenant(), &canonicals).await?;
        ready.retain(|ready| {
            let taken = known.contains(&ready.canonical);
            if taken {
                refused.push(taken_at(ready.index));
            }
            !taken
        });
        let given = ready.iter().any(|ready| is_given(ready.user.id()));
        ready = with_keys(transaction, ready).await?;
        transaction.start_part().await?;
        match transaction.insert_users(&pairs(&ready)).await? {
            Ok(()) => transaction.end_part().await?,
            // Somebody is in the way: one by one, whoever it is shows.
            Err(_) => {
                transaction.undo_part().await?;
                ready = store_each(transaction, ready, refused).await?;
            }
        }
        if given {
            transaction.skip_keys::<User<A>>().await?;
        }
        self.assign_all(transaction, &ready).await?;
        Ok(ready.len())
    }

    async fn assign_all(&self, transaction: &mut Transaction, ready: &[Ready<User<A>>]) -> Result<(), Error> {
        // In one order, so that two who import at once do not wait for each other.
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Ready { canonical, roles, .. } in ready {
            for role in roles {
                members.entry(role).or_default().push(canonical);
            }
        }
        for (role, canonicals) in members {
            self.assign_in(transaction, role, &canonicals).await?;
        }
        Ok(())
    }

    /// Gives a role to users who have just been stored; it is stored if it is not there.
    async fn assign_in(
        &self,
        transaction: &mut Transaction,
        role: &str,
        canonicals: &[&str],
    ) -> Result<(), Error> {
        let tenant = self.tenant();
        self.seed_role(transaction, role).await?;
        let role = transaction.role_by_name::<User<A>>(tenant, role).await?.ok_or(Error::NotFound)?;
        transaction.assign_role_to::<User<A>>(tenant, role.id(), canonicals).await
    }
}

impl<U: UserModel> Checked<U> {
    fn password(&self) -> Option<&Password> {
        self.account.password.as_ref().or(self.account.import.password())
    }
}

/// Whether a key was given that the database could have assigned.
fn is_given<Id: UserId>(id: Id) -> bool {
    Id::generate().assigned().is_none() && id.assigned().is_some()
}

/// The same users, under keys where the database has to be asked for them.
async fn with_keys<U: Storable>(
    transaction: &mut Transaction,
    ready: Vec<Ready<U>>,
) -> Result<Vec<Ready<U>>, Error> {
    let count = ready.iter().filter(|ready| ready.user.id().assigned().is_none()).count();
    let mut keys = transaction.new_keys::<U>(count).await?.into_iter();
    let with_key = |ready: Ready<U>| match ready.user.id().assigned() {
        Some(_) => ready,
        None => match keys.next() {
            Some(key) => Ready { user: ready.user.with_id(key), ..ready },
            None => ready,
        },
    };
    Ok(ready.into_iter().map(with_key).collect())
}

fn pairs<U>(ready: &[Ready<U>]) -> Vec<(&U, &str)> {
    ready.iter().map(|ready| (&ready.user, ready.canonical.as_str())).collect()
}

/// Stores one after the other, each a part of the transaction that is taken back alone. Answers those that are stored.
async fn store_each<U: Storable>(
    transaction: &mut Transaction,
    all: Vec<Ready<U>>,
    refused: &mut Vec<Refused>,
) -> Result<Vec<Ready<U>>, Error> {
    let mut stored = Vec::with_capacity(all.len());
    for ready in all {
        transaction.start_part().await?;
        match transaction.insert_users(&[(&ready.user, ready.canonical.as_str())]).await? {
            Ok(()) => {
                transaction.end_part().await?;
                stored.push(ready);
            }
            Err(refusal) => {
                transaction.undo_part().await?;
                let error = match refusal {
                    Refusal::Taken => Error::IdentifierTaken,
                    Refusal::Broken(problem) => {
                        Error::field(U::IDENTIFIER.field, Violation::new("refused_by_database", problem))
                    }
                };
                refused.push(Refused { index: ready.index, error });
            }
        }
    }
    Ok(stored)
}

fn taken_at(index: usize) -> Refused {
    Refused { index, error: Error::IdentifierTaken }
}

/// The names of roles in the form that is compared, each once.
fn roles<U: UserModel>(typed: &[String], errors: &mut FieldErrors) -> Vec<String> {
    if !typed.is_empty() && !U::Role::PRESENT {
        errors.push("roles", Violation::new("not_available", "this application has no roles"));
    }
    let mut names: Vec<String> = Vec::with_capacity(typed.len());
    for typed in typed {
        match canonical_role_name(typed) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(violation) => errors.push("roles", violation),
        }
    }
    names
}
