use super::*;

fn secret() -> SecretKey {
    SecretKey::generate().unwrap()
}

fn keys(current: &SecretKey, old: &[SecretKey]) -> Keys {
    Keys::derive(current, old, &TokenSettings::default(), "https://app.example.com/").unwrap()
}

fn with_account(check: impl Fn(&Account<'_>)) {
    let password_hash = PasswordHash::from_phc("$argon2id$x");
    check(&Account {
        id: "1".to_owned(),
        identifier: "ann@example.com",
        password_hash: &password_hash,
        is_verified: false,
    });
}

#[test]
fn s30_a_fingerprint_fits_under_the_current_key_and_the_old_ones_alone() {
    let (first, second, third) = (secret(), secret(), secret());
    with_account(|account| {
        let made = keys(&first, &[]).current.fingerprint(account);
        for (current, old, fits) in [
            (&first, vec![], true),
            (&second, vec![first.clone()], true),
            (&third, vec![second.clone(), first.clone()], true),
            (&second, vec![], false),
            (&second, vec![third.clone()], false),
        ] {
            assert_eq!(keys(current, &old).fits_account(&made, account), fits);
        }
        let rotated = keys(&second, std::slice::from_ref(&first));
        assert_ne!(rotated.current.fingerprint(account), made, "what is new is made with the current key");
    });
}

#[test]
fn s22_a_fingerprint_fits_no_account_that_has_changed_under_any_key() {
    let (first, second) = (secret(), secret());
    let rotated = keys(&second, std::slice::from_ref(&first));
    let other_hash = PasswordHash::from_phc("$argon2id$y");
    with_account(|account| {
        for made in [keys(&first, &[]), keys(&second, &[])].map(|keys| keys.current.fingerprint(account)) {
            assert!(rotated.fits_account(&made, account));
            for changed in [
                Account { id: "2".to_owned(), ..account.clone() },
                Account { identifier: "ann@example.org", ..account.clone() },
                Account { password_hash: &other_hash, ..account.clone() },
                Account { is_verified: true, ..account.clone() },
            ] {
                assert!(!rotated.fits_account(&made, &changed));
            }
        }
    });
}

#[test]
fn s30_a_mail_that_is_sent_again_after_a_rotation_carries_the_same_token() {
    let (first, second) = (secret(), secret());
    let (before, after) = (keys(&first, &[]), keys(&second, std::slice::from_ref(&first)));
    let nonce = Nonce::random().unwrap();
    with_account(|account| {
        let (remembered, token) = before.token_for(account, &nonce, "verify", None).unwrap();
        for keys in [&before, &after] {
            let (fingerprint, again) = keys.token_for(account, &nonce, "verify", Some(&remembered)).unwrap();
            assert_eq!(again.hash(), token.hash());
            // Nodes that do not know the new key yet go on knowing the row.
            assert_eq!(fingerprint, remembered);
        }
        let (_, fresh) = after.token_for(account, &nonce, "verify", None).unwrap();
        assert_ne!(
            fresh.hash(),
            token.hash(),
            "a mail that is sent for the first time takes the current key"
        );
        let removed = keys(&second, &[]);
        assert!(removed.token_for(account, &nonce, "verify", Some(&remembered)).is_none());
        let changed = Account { is_verified: true, ..account.clone() };
        assert!(after.token_for(&changed, &nonce, "verify", Some(&remembered)).is_none());
    });
}

#[test]
fn s30_a_cursor_is_vouched_for_under_the_current_key_and_the_old_ones_alone() {
    let (first, second) = (secret(), secret());
    let tag = keys(&first, &[]).cursor_tag(b"tenant", b"cursor");
    let rotated = keys(&second, &[first]);
    assert!(rotated.vouches_for(&tag, b"tenant", b"cursor"));
    assert!(!rotated.vouches_for(&tag, b"tenan", b"tcursor"));
    assert!(!rotated.vouches_for(&tag[1..], b"tenant", b"cursor"));
    assert!(!rotated.vouches_for(&[], b"tenant", b"cursor"));
    assert!(!keys(&second, &[]).vouches_for(&tag, b"tenant", b"cursor"));
    assert_ne!(rotated.cursor_tag(b"tenant", b"cursor"), tag);
}

#[test]
fn each_purpose_has_a_key_of_its_own() {
    let keys = keys(&secret(), &[]);
    let nonce = Nonce::random().unwrap();
    assert_ne!(*keys.current.fingerprint, *keys.current.one_time);
    assert_ne!(*keys.current.one_time, *keys.current.cursor);
    assert_ne!(
        keys.current.one_time_token(&nonce, "verify").hash(),
        keys.current.one_time_token(&nonce, "password_reset").hash()
    );
}

#[test]
fn s30_an_invitation_is_read_under_the_current_key_and_the_old_ones_and_not_when_it_is_changed() {
    let (first, second) = (secret(), secret());
    let text = keys(&first, &[]).invitation(b"ann@example.com");
    for (keys, reads) in [
        (keys(&first, &[]), true),
        (keys(&second, std::slice::from_ref(&first)), true),
        (keys(&second, &[]), false),
    ] {
        assert_eq!(keys.read_invitation(&text), reads.then(|| b"ann@example.com".to_vec()));
    }
    for _ in 0..500 {
        let changed = crate::token::mutation::mutated(&text);
        assert!(changed == *text || keys(&first, &[]).read_invitation(&changed).is_none(), "{changed}");
    }
    let tag_alone = BASE64_URL.encode([0; INVITATION_TAG_BYTES]);
    for wrong in ["", "a", "=", &tag_alone, &"A".repeat(INVITATION_MAX_BYTES + 1)] {
        assert!(keys(&first, &[]).read_invitation(wrong).is_none(), "{wrong}");
    }
}
