//! The sessions of an application's users, wherever they are kept.

use super::Directory;
use crate::{
    cache::Known,
    clock,
    db::{Storable, Transaction},
    error::Error,
    principal::Principal,
    session::{SessionRecord, from_store_key, random_revision, store_key},
    store::Expected,
    token::TokenHash,
};

impl<U: Storable> Directory<U> {
    /// How long a session lives without a request, in milliseconds.
    fn idle(&self) -> i64 {
        clock::millis(self.config.session_idle)
    }

    /// Whether a session may still be used.
    fn is_live(&self, record: &SessionRecord) -> bool {
        record.is_live(clock::now(), self.idle())
    }

    /// A session that is live and stands for what its user is now, and the user: one statement when the database keeps
    /// both, and under load less.
    pub(crate) async fn session(
        &self,
        id: TokenHash,
    ) -> Result<Option<(Principal<U>, SessionRecord)>, Error> {
        let found = match &self.store {
            None => self.lookups.find(self.tenant(), id).await?,
            Some(_) => self.stored_session(id).await?,
        };
        // A changed password or identifier ends the session without anybody having to look for it (S22).
        Ok(found.filter(|(principal, record)| {
            let fits = |fingerprint| self.keys.fits::<U>(fingerprint, principal);
            self.is_live(record) && record.fingerprint.as_ref().is_some_and(fits)
        }))
    }

    /// Who a session stands for now, and what a request has to know of it; that it is in use is noted. What the cache
    /// refuses is asked of the database all the same.
    pub(crate) async fn recognise(&self, id: TokenHash) -> Result<Option<(Principal<U>, Known)>, Error> {
        let cache = &self.database.cache;
        let now = clock::now();
        let moment = cache.moment();
        if let Some((principal, seen)) = cache.find::<U>(self.tenant(), id)
            && now < seen.ends_at
            && !self.is_due(seen.seen_at, now)
            && seen
                .fingerprint
                .as_ref()
                .is_some_and(|fingerprint| self.keys.fits::<U>(fingerprint, &principal))
        {
            return Ok(Some((principal, seen)));
        }
        let Some((principal, record)) = self.session(id).await? else { return Ok(None) };
        let mut seen = Known::of(&record, self.idle());
        if self.touch_session(id, record).await? {
            seen.seen_at = now;
        }
        cache.keep(moment, self.tenant(), id, (&principal, seen));
        Ok(Some((principal, seen)))
    }

    async fn stored_session(&self, id: TokenHash) -> Result<Option<(Principal<U>, SessionRecord)>, Error> {
        let Some(record) = self.stored_record(id).await? else { return Ok(None) };
        let Some(user_id) = record.user_id.as_deref().and_then(|id| id.parse().ok()) else { return Ok(None) };
        Ok(self.user_by_id(user_id).await?.map(|principal| (principal, record)))
    }

    async fn stored_record(&self, id: TokenHash) -> Result<Option<SessionRecord>, Error> {
        let Some(store) = &self.store else { return Ok(None) };
        store.get(&store_key(id)).await?.as_ref().map(SessionRecord::from_entry).transpose()
    }

    /// What a live session carries: one of nobody's, or one that stands for what its user is now.
    pub(crate) async fn session_record(&self, id: TokenHash) -> Result<Option<SessionRecord>, Error> {
        let record = match &self.store {
            None => self.database.session_by_id::<U>(id).await?,
            Some(_) => self.stored_record(id).await?,
        };
        match record.filter(|record| self.is_live(record)) {
            Some(record) if record.user_id.is_none() => Ok(Some(record)),
            Some(_) => Ok(self.session(id).await?.map(|(_, record)| record)),
            None => Ok(None),
        }
    }

    /// The same inside a transaction, whoever the session belongs to.
    pub(crate) async fn session_record_in(
        &self,
        transaction: &mut Transaction,
        id: TokenHash,
    ) -> Result<Option<SessionRecord>, Error> {
        let record = match &self.store {
            None => transaction.session_by_id::<U>(id).await?,
            Some(_) => self.stored_record(id).await?,
        };
        Ok(record.filter(|record| self.is_live(record)))
    }

    /// Whether it is to be noted that a session is in use.
    fn is_due(&self, seen_at: i64, now: i64) -> bool {
        now - seen_at >= clock::millis(self.config.session_renew_every)
    }

    /// Notes that a session is in use; `false` when that was noted a short while ago.
    pub(crate) async fn touch_session(&self, id: TokenHash, record: SessionRecord) -> Result<bool, Error> {
        let now = clock::now();
        if !self.is_due(record.seen_at, now) {
            return Ok(false);
        }
        match &self.store {
            None => self.database.touch_session(id, now).await?,
            Some(store) => {
                let expected = Expected::Revision(record.revision.unsigned_abs());
                let record = SessionRecord { seen_at: now, revision: random_revision()?, ..record };
                // Somebody else who wrote in between noted as much, or ended it; what has ended stays so.
                store.put(&store_key(id), record.to_entry(self.idle())?, expected).await?;
            }
        }
        Ok(true)
    }

    /// Stores a session under an identifier that nothing else has.
    pub(crate) async fn open_session(
        &self,
        transaction: &mut Transaction,
        id: TokenHash,
        record: &SessionRecord,
    ) -> Result<(), Error> {
        let Some(store) = &self.store else { return transaction.insert_session::<U>(id, record).await };
        if store.put(&store_key(id), record.to_entry(self.idle())?, Expected::Absent).await? {
            Ok(())
        } else {
            Err(Error::internal("a new session has the identifier of another one"))
        }
    }

    /// Replaces what a session carries if it is still this version of it; `false` when it is not.
    pub(crate) async fn replace_session(
        &self,
        id: TokenHash,
        revision: i64,
        record: &SessionRecord,
    ) -> Result<bool, Error> {
        let Some(store) = &self.store else {
            let mut transaction = self.database.begin().await?;
            let replaced = transaction.replace_session(id, revision, record).await?;
            transaction.commit().await?;
            return Ok(replaced);
        };
        let expected = Expected::Revision(revision.unsigned_abs());
        store.put(&store_key(id), record.to_entry(self.idle())?, expected).await
    }

    /// Ends a session; `false` when there was none.
    pub(crate) async fn end_session(
        &self,
        transaction: &mut Transaction,
        id: TokenHash,
    ) -> Result<bool, Error> {
        match &self.store {
            None => transaction.delete_session(id).await,
            Some(store) => {
                transaction.changes.of_session(id);
                store.remove(&store_key(id)).await
            }
        }
    }

    /// Ends every session of a user.
    pub(crate) async fn end_sessions_of(
        &self,
        transaction: &mut Transaction,
        user_id: U::Id,
    ) -> Result<(), Error> {
        transaction.delete_sessions_of::<U>(user_id).await?;
        let Some(store) = &self.store else { return Ok(()) };
        for key in store.keys_of(&user_id.to_string()).await? {
            store.remove(&key).await?;
        }
        Ok(())
    }

    /// Ends every session of a user but one.
    pub(crate) async fn end_other_sessions_of(
        &self,
        transaction: &mut Transaction,
        user_id: U::Id,
        kept: Option<TokenHash>,
    ) -> Result<(), Error> {
        let Some(kept) = kept else { return self.end_sessions_of(transaction, user_id).await };
        let others: Vec<_> = match &self.store {
            None => transaction.sessions_of::<U>(user_id).await?.into_iter().map(|(id, _)| id).collect(),
            Some(store) => {
                let keys = store.keys_of(&user_id.to_string()).await?;
                keys.iter().filter_map(|key| from_store_key(key)).collect()
            }
        };
        for id in others.into_iter().filter(|id| *id != kept) {
            self.end_session(transaction, id).await?;
        }
        Ok(())
    }

    /// The live sessions of a user, the latest first.
    pub(crate) async fn sessions_of(&self, user_id: U::Id) -> Result<Vec<(TokenHash, SessionRecord)>, Error> {
        let sessions = match &self.store {
            None => self.database.sessions_of::<U>(user_id).await?,
            Some(_) => self.stored_sessions_of(user_id).await?,
        };
        Ok(self.live_first(sessions))
    }

    /// Ends the oldest sessions of a user until there is room for another one.
    pub(crate) async fn make_room(&self, transaction: &mut Transaction, user_id: U::Id) -> Result<(), Error> {
        let sessions = match &self.store {
            None => transaction.sessions_of::<U>(user_id).await?,
            Some(_) => self.stored_sessions_of(user_id).await?,
        };
        let room = self.config.max_sessions.saturating_sub(1);
        for (id, _) in self.live_first(sessions).into_iter().skip(room) {
            self.end_session(transaction, id).await?;
        }
        Ok(())
    }

    async fn stored_sessions_of(&self, user_id: U::Id) -> Result<Vec<(TokenHash, SessionRecord)>, Error> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let mut sessions = Vec::new();
        for id in store.keys_of(&user_id.to_string()).await?.iter().filter_map(|key| from_store_key(key)) {
            sessions.extend(self.stored_record(id).await?.map(|record| (id, record)));
        }
        Ok(sessions)
    }

    fn live_first(&self, mut sessions: Vec<(TokenHash, SessionRecord)>) -> Vec<(TokenHash, SessionRecord)> {
        sessions.retain(|(_, record)| self.is_live(record));
        sessions.sort_by_key(|(_, record)| std::cmp::Reverse(record.created_at));
        sessions
    }
}
