//! Several backends at once: the first that recognises a request wins, and the first with a login gives it.

use http::request::Parts;

use super::{Backend, Credential, Recognition};
use crate::{
    db::{Storable, Transaction},
    directory::Directory,
    error::Error,
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

            fn is_ambient(&self, request: &Parts) -> bool {
                // One that a browser would use by itself is enough for a page of another origin.
                $(self.$index.is_ambient(request))||+
            }

            async fn log_in(
                &self,
                directory: &Directory<U>,
                request: &Parts,
                user: &U,
                transaction: &mut Transaction,
            ) -> Result<Option<Credential>, Error> {
                $(
                    if let Some(credential) = self.$index.log_in(directory, request, user, transaction).await? {
                        return Ok(Some(credential));
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
        }
    };
}

list!(A 0);
list!(A 0, B 1);
list!(A 0, B 1, C 2);
list!(A 0, B 1, C 2, D 3);
