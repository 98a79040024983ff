//! Several backends at once: the first that recognises a request wins, and the first with a login gives it.

use http::request::Parts;
use serde_json::{Map, Value};

use super::{Backend, Credential, Login, Recognition, SecurityScheme};
use crate::{
    config::Config,
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
    principal::Principal,
    session::DataChanges,
};

macro_rules! list {
    ($($backend:ident $index:tt),+) => {
        impl<U: Storable, $($backend: Backend<U>),+> Backend<U> for ($($backend,)+) {
            async fn authenticate(
                &self,
                directory: &Directory<U>,
                request: &Parts,
            ) -> Result<Recognition<U>, Error> {
                $(
                    match self.$index.authenticate(directory, request).await? {
                        Recognition::Absent => {}
                        recognised => return Ok(recognised),
                    }
                )+
                Ok(Recognition::Absent)
            }

            fn challenge(&self) -> &'static str {
                self.0.challenge()
            }

            fn challenges(&self) -> Vec<&'static str> {
                let mut all: Vec<_> = [$( self.$index.challenges() ),+].concat();
                let mut seen = std::collections::HashSet::new();
                all.retain(|scheme| seen.insert(*scheme));
                all
            }

            fn is_ambient(&self, request: &Parts) -> bool {
                // One that a browser would use by itself is enough for a page of another origin.
                $(self.$index.is_ambient(request))||+
            }

            const GIVES_TOKENS: bool = $($backend::GIVES_TOKENS)||+;

            const AMBIENT: bool = $($backend::AMBIENT)||+;

            fn security(config: &Config) -> Vec<SecurityScheme> {
                let mut all: Vec<SecurityScheme> = Vec::new();
                for scheme in [$($backend::security(config)),+].concat() {
                    if !all.contains(&scheme) {
                        all.push(scheme);
                    }
                }
                all
            }

            async fn log_in(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                login: &Login<'_, U>,
                transaction: &mut Transaction,
            ) -> Result<Option<Credential>, Error> {
                $(
                    if let Some(credential) = self.$index.log_in(directory, request, login, transaction).await? {
                        return Ok(Some(credential));
                    }
                )+
                Ok(None)
            }

            async fn refresh(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                token: Option<&str>,
            ) -> Result<Option<(Principal<U>, Credential)>, Error> {
                $(
                    if let Some(refreshed) = self.$index.refresh(directory, request, token).await? {
                        return Ok(Some(refreshed));
                    }
                )+
                Ok(None)
            }

            async fn log_out(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                transaction: &mut Transaction,
            ) -> Result<Credential, Error> {
                let mut all = Credential::default();
                $(
                    let one = self.$index.log_out(directory, request, transaction).await?;
                    all.headers.extend(one.headers);
                )+
                Ok(all)
            }

            const CARRIES_DATA: bool = $( <$backend as Backend<U>>::CARRIES_DATA )||+;

            async fn read_data(
                &self,
                directory: &Directory<U>,
                request: &Parts,
            ) -> Result<Map<String, Value>, Error> {
                $(
                    if <$backend as Backend<U>>::CARRIES_DATA {
                        return self.$index.read_data(directory, request).await;
                    }
                )+
                Ok(Map::new())
            }

            async fn write_data(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                changes: &DataChanges,
            ) -> Result<Credential, Error> {
                $(
                    if <$backend as Backend<U>>::CARRIES_DATA {
                        return self.$index.write_data(directory, request, changes).await;
                    }
                )+
                Err(Error::internal("sessions of these backends carry no data"))
            }
        }
    };
}

list!(A 0);
list!(A 0, B 1);
list!(A 0, B 1, C 2);
list!(A 0, B 1, C 2, D 3);
