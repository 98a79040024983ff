//! Roles: which there are, who has which, and that somebody is left to administer.

use super::Scope;
use crate::{
    app::Application,
    db::Transaction,
    error::Error,
    event::{EventKind, NewEvent},
    model::{RoleCreateDto, RoleModel, RoleName, RoleUpdateDto, UserId, UserModel},
    principal::Principal,
    validate::{FieldErrors, canonical_role_name},
};

type User<A> = <A as Application>::User;
type UserKey<A> = <User<A> as UserModel>::Id;
type Role<A> = <User<A> as UserModel>::Role;
type RoleId<A> = <Role<A> as RoleModel>::Id;

impl<A: Application> Scope<A> {
    /// Every role, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn roles(&self) -> Result<Vec<Role<A>>, Error> {
        if !Role::<A>::PRESENT {
            return Ok(Vec::new());
        }
        self.directory().database.roles::<User<A>>(self.tenant()).await
    }

    /// Stores a role.
    ///
    /// # Errors
    /// [`Error::Validation`] and [`Error::RoleNameTaken`].
    pub async fn create_role(&self, create: <Role<A> as RoleModel>::Create) -> Result<Role<A>, Error> {
        let mut errors = FieldErrors::default();
        let name = role_name(create.name(), &mut errors);
        create.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        let role = Role::<A>::from_create(create, RoleId::<A>::generate(), name.unwrap_or_default());
        let mut transaction = self.directory().database.begin().await?;
        let role = transaction.insert_role::<User<A>>(self.tenant(), role).await?;
        self.record(&mut transaction, of_role(EventKind::RoleCreated, role.name())).await?;
        transaction.commit().await?;
        Ok(role)
    }

    /// Changes a role; those who have it have it under its new name at the next request (S25).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Validation`], [`Error::RoleNameTaken`], and [`Error::LastAdministrator`] when the
    /// role by which people administer would lose its name.
    pub async fn update_role(
        &self,
        id: RoleId<A>,
        update: &<Role<A> as RoleModel>::Update,
    ) -> Result<Role<A>, Error> {
        let mut errors = FieldErrors::default();
        let name = update.name().and_then(|name| role_name(name, &mut errors));
        update.validate(&mut errors);
        errors.into_result().map_err(Error::Validation)?;
        let tenant = self.tenant();
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        let before = transaction.role_by_id::<User<A>>(tenant, id).await?.ok_or(Error::NotFound)?;
        self.may_change_holder_of([before.name()].into_iter().chain(name.as_deref()))?;
        let mut event = of_role(EventKind::RoleUpdated, before.name());
        if update.changes_own_fields() {
            transaction.update_role::<User<A>>(tenant, id, update).await?;
        }
        if let Some(name) = name {
            transaction.rename_role::<User<A>>(tenant, id, &name).await?;
            event = event.with("renamed_to", name);
        }
        self.record(&mut transaction, event).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        let role = transaction.role_by_id::<User<A>>(tenant, id).await?.ok_or(Error::NotFound)?;
        transaction.commit().await?;
        Ok(role)
    }

    /// Deletes a role, and takes it from everybody who has it; the role as it was.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::LastAdministrator`] when nobody would be left to administer.
    pub async fn delete_role(&self, id: RoleId<A>) -> Result<Role<A>, Error> {
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        let role = transaction.role_by_id::<User<A>>(self.tenant(), id).await?.ok_or(Error::NotFound)?;
        self.may_change_holder_of([role.name()].into_iter())?;
        transaction.delete_role::<User<A>>(self.tenant(), id).await?;
        self.record(&mut transaction, of_role(EventKind::RoleDeleted, role.name())).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        transaction.commit().await?;
        Ok(role)
    }

    /// Gives a user a role; the user with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user or role, and [`Error::RoleAlreadyAssigned`].
    pub async fn assign_role(
        &self,
        user_id: UserKey<A>,
        role_id: RoleId<A>,
    ) -> Result<Principal<User<A>>, Error> {
        let tenant = self.tenant();
        let mut transaction = self.directory().database.begin().await?;
        transaction.user_by_id::<User<A>>(tenant, user_id).await?.ok_or(Error::NotFound)?;
        let role = transaction.role_by_id::<User<A>>(tenant, role_id).await?.ok_or(Error::NotFound)?;
        self.may_change_holder_of([role.name()].into_iter())?;
        transaction.assign_role::<User<A>>(user_id, role_id).await?;
        self.record(&mut transaction, of_role(EventKind::RoleAssigned, role.name()).of(user_id)).await?;
        let user = transaction.user_by_id(tenant, user_id).await?.ok_or(Error::NotFound)?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Takes a role from a user; the user without it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user or role, [`Error::RoleNotAssigned`], and
    /// [`Error::LastAdministrator`] when nobody would be left to administer.
    pub async fn revoke_role(
        &self,
        user_id: UserKey<A>,
        role_id: RoleId<A>,
    ) -> Result<Principal<User<A>>, Error> {
        let tenant = self.tenant();
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        transaction.user_by_id::<User<A>>(tenant, user_id).await?.ok_or(Error::NotFound)?;
        let role = transaction.role_by_id::<User<A>>(tenant, role_id).await?.ok_or(Error::NotFound)?;
        self.may_change_holder_of([role.name()].into_iter())?;
        if !transaction.revoke_role::<User<A>>(user_id, role_id).await? {
            return Err(Error::RoleNotAssigned);
        }
        self.record(&mut transaction, of_role(EventKind::RoleRevoked, role.name()).of(user_id)).await?;
        self.keep_an_administrator(&mut transaction, administrators).await?;
        let user = transaction.user_by_id(tenant, user_id).await?.ok_or(Error::NotFound)?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Gives a user a role by its name; the role is created if there is none of it, and a user who has it keeps it.
    ///
    /// # Errors
    /// [`Error::Validation`] when the name is none, and [`Error::NotFound`] when there is no such user.
    pub async fn grant(&self, user_id: UserKey<A>, role: impl RoleName + Send) -> Result<(), Error> {
        let mut errors = FieldErrors::default();
        let name = role_name(role.role_name(), &mut errors);
        drop(role);
        errors.into_result().map_err(Error::Validation)?;
        let name = name.unwrap_or_default();
        let tenant = self.tenant();
        let mut transaction = self.directory().database.begin().await?;
        self.seed_role(&mut transaction, &name).await?;
        let role = transaction.role_by_name::<User<A>>(tenant, &name).await?.ok_or(Error::NotFound)?;
        let user = transaction.user_by_id::<User<A>>(tenant, user_id).await?.ok_or(Error::NotFound)?;
        if !user.has_role(&name) {
            transaction.assign_role::<User<A>>(user_id, role.id()).await?;
            self.record(&mut transaction, of_role(EventKind::RoleAssigned, &name).of(user_id)).await?;
        }
        transaction.commit().await
    }

    /// Takes a role from a user by its name; a user who has it not is left alone.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user, and [`Error::LastAdministrator`] when nobody would be left to
    /// administer.
    pub async fn withdraw(&self, user_id: UserKey<A>, role: impl RoleName + Send) -> Result<(), Error> {
        let name = role_name(role.role_name(), &mut FieldErrors::default());
        drop(role);
        let tenant = self.tenant();
        let mut transaction = self.directory().database.begin().await?;
        let administrators = self.lock_administrators(&mut transaction).await?;
        transaction.user_by_id::<User<A>>(tenant, user_id).await?.ok_or(Error::NotFound)?;
        let Some(name) = name else { return Ok(()) };
        if let Some(role) = transaction.role_by_name::<User<A>>(tenant, &name).await? {
            if transaction.revoke_role::<User<A>>(user_id, role.id()).await? {
                self.record(&mut transaction, of_role(EventKind::RoleRevoked, &name).of(user_id)).await?;
            }
            self.keep_an_administrator(&mut transaction, administrators).await?;
        }
        transaction.commit().await
    }

    /// Whether anybody whose account may be used has a role.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_anyone_role(&self, role: impl RoleName + Send) -> Result<bool, Error> {
        let name = role_name(role.role_name(), &mut FieldErrors::default());
        drop(role);
        match name {
            Some(name) if Role::<A>::PRESENT => {
                let database = &self.directory().database;
                Ok(database.active_members::<User<A>>(self.tenant(), &name).await? > 0)
            }
            _ => Ok(false),
        }
    }

    /// Stores a role of which nothing but the name is known, unless it is there.
    pub(super) async fn seed_role(&self, transaction: &mut Transaction, name: &str) -> Result<(), Error> {
        if !Role::<A>::PRESENT {
            return Err(Error::NotFound);
        }
        if transaction.role_by_name::<User<A>>(self.tenant(), name).await?.is_none() {
            let role = Role::<A>::named(RoleId::<A>::generate(), name.to_owned());
            transaction.insert_missing_role::<User<A>>(self.tenant(), role).await?;
        }
        Ok(())
    }

    /// Stores the roles that the program knows while it is compiled.
    pub(crate) async fn seed_roles(&self, names: &[&str]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let mut transaction = self.directory().database.begin().await?;
        for name in names {
            self.seed_role(&mut transaction, name).await?;
        }
        transaction.commit().await
    }

    /// How many may administer; nobody else changes that until the transaction ends. Two who each demote the other at
    /// the same moment would otherwise both succeed (S56).
    pub(super) async fn lock_administrators(&self, transaction: &mut Transaction) -> Result<i64, Error> {
        if !Role::<A>::PRESENT {
            return Ok(0);
        }
        let name = &self.directory().config.administrator_role;
        if transaction.lock_role::<User<A>>(self.tenant(), name).await?.is_none() {
            return Ok(0);
        }
        transaction.active_members::<User<A>>(self.tenant(), name).await
    }

    /// Refuses a change that leaves nobody to administer where there was somebody (S56).
    pub(super) async fn keep_an_administrator(
        &self,
        transaction: &mut Transaction,
        before: i64,
    ) -> Result<(), Error> {
        let name = &self.directory().config.administrator_role;
        if before > 0 && transaction.active_members::<User<A>>(self.tenant(), name).await? == 0 {
            return Err(Error::LastAdministrator);
        }
        Ok(())
    }
}

fn of_role(kind: EventKind, name: &str) -> NewEvent {
    NewEvent::new(kind).managed().with("role", name)
}

/// The one form of a role's name, or a note of what is wrong with it.
fn role_name(typed: &str, errors: &mut FieldErrors) -> Option<String> {
    match canonical_role_name(typed) {
        Ok(name) => Some(name),
        Err(violation) => {
            errors.push("name", violation);
            None
        }
    }
}
