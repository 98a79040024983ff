//! What every store promises.

use std::time::Duration;

use users_runtime::{Entry, Expected};

use crate::support::{create, each_store, entry, keys_of, new_key, random, soon};

each_store!(an_entry_is_there_until_it_is_removed, |store| async {
    let key = new_key();
    store.ping().await.expect("it answers");
    assert_eq!(store.get(&key).await.expect("a store"), None);
    for (owner, value) in [
        (None, &b""[..]),
        (Some("ann"), b"value"),
        (Some(""), &[0, 0xff, b'\n', b'"']),
        (Some("wörd /../\\ '\" \0"), &[7; 5000]),
    ] {
        let written = entry(owner, value);
        assert!(store.put(&key, written.clone(), Expected::Absent).await.expect("a store"));
        assert_eq!(store.get(&key).await.expect("a store"), Some(written));
        assert!(store.remove(&key).await.expect("a store"));
        assert_eq!(store.get(&key).await.expect("a store"), None);
        assert!(!store.remove(&key).await.expect("a store"));
    }
});

each_store!(a_write_takes_place_when_what_is_there_is_as_expected, |store| async {
    let key = new_key();
    let put =
        async |entry: &Entry, expected| store.put(&key, entry.clone(), expected).await.expect("a store");
    let (first, second) = (entry(Some("ann"), b"first"), entry(Some("ann"), b"second"));
    assert!(!put(&first, Expected::Revision(first.revision)).await, "there is nothing to replace");
    assert_eq!(store.get(&key).await.expect("a store"), None);
    assert_eq!(keys_of(store, "ann").await, [""; 0]);

    assert!(put(&first, Expected::Absent).await);
    assert!(!put(&first, Expected::Absent).await, "not even by the same entry");
    assert!(!put(&second, Expected::Absent).await);
    assert!(!put(&second, Expected::Revision(second.revision)).await);
    assert_eq!(store.get(&key).await.expect("a store"), Some(first.clone()));

    assert!(put(&second, Expected::Revision(first.revision)).await);
    assert!(!put(&first, Expected::Revision(first.revision)).await, "it has been replaced");
    assert_eq!(store.get(&key).await.expect("a store"), Some(second.clone()));
    assert_eq!(keys_of(store, "ann").await, [key.as_str()]);

    // The smallest and the largest revision are as good as others.
    let (least, most) =
        (Entry { revision: 0, ..first.clone() }, Entry { revision: u64::MAX, ..second.clone() });
    assert!(put(&most, Expected::Revision(second.revision)).await);
    assert!(put(&least, Expected::Revision(u64::MAX)).await);
    assert!(put(&first, Expected::Revision(0)).await);
    assert!(store.remove(&key).await.expect("a store"));
    assert!(!put(&second, Expected::Revision(first.revision)).await, "what is removed does not come back");
    assert!(store.get(&key).await.expect("a store").is_none());
});

each_store!(an_entry_whose_end_has_passed_is_absent, |store| async {
    let (key, stays) = (new_key(), new_key());
    let now = users_tests::now();
    create(store, &stays, Some("ann")).await;
    let short = Entry { expires_at: now + 700, ..entry(Some("ann"), b"short") };
    assert!(store.put(&key, short.clone(), Expected::Absent).await.expect("a store"));
    assert_eq!(store.get(&key).await.expect("a store"), Some(short.clone()));
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(store.get(&key).await.expect("a store"), None);
    let next = entry(Some("ann"), b"next");
    let replaced = store.put(&key, next.clone(), Expected::Revision(short.revision)).await;
    assert!(!replaced.expect("a store"), "it has ended");
    assert!(!store.remove(&key).await.expect("a store"), "it has ended");
    assert!(store.put(&key, next.clone(), Expected::Absent).await.expect("a store"));
    assert_eq!(store.get(&key).await.expect("a store"), Some(next));

    // What ends before it is written is never there.
    let past = new_key();
    for expires_at in [now - 1, 0, i64::MIN] {
        let ended = Entry { expires_at, ..entry(Some("bob"), b"past") };
        assert!(store.put(&past, ended, Expected::Absent).await.expect("a store"));
        assert_eq!(store.get(&past).await.expect("a store"), None);
    }
    store.remove_expired(users_tests::now()).await.expect("a store");
    assert_eq!(store.get(&stays).await.expect("a store").map(|entry| entry.value), Some(b"value".to_vec()));

    // What never ends may be written.
    let endless = Entry { expires_at: i64::MAX, ..entry(Some("ann"), b"endless") };
    let key = new_key();
    assert!(store.put(&key, endless.clone(), Expected::Absent).await.expect("a store"));
    assert_eq!(store.get(&key).await.expect("a store"), Some(endless));
    assert!(keys_of(store, "ann").await.contains(&key));
});

each_store!(the_keys_of_an_owner_are_named, |store| async {
    let (ann, bob) = (format!("ann {}", random()), format!("bob {}", random()));
    let mut keys: Vec<_> = (0..20).map(|_| new_key()).collect();
    keys.sort();
    for key in &keys {
        create(store, key, Some(&ann)).await;
    }
    let other = new_key();
    let first = create(store, &other, Some(&bob)).await;
    create(store, &new_key(), None).await;
    assert_eq!(keys_of(store, &ann).await, keys);
    assert_eq!(keys_of(store, &bob).await, [other.as_str()]);
    assert_eq!(keys_of(store, "nobody").await, [""; 0]);

    // An entry that is written again is named once, and one that changes hands by its new owner.
    let second = entry(Some(&bob), b"again");
    assert!(store.put(&other, second.clone(), Expected::Revision(first.revision)).await.expect("a store"));
    assert_eq!(keys_of(store, &bob).await, [other.as_str()]);
    let third = entry(Some(&ann), b"hers");
    assert!(store.put(&other, third, Expected::Revision(second.revision)).await.expect("a store"));
    assert_eq!(keys_of(store, &bob).await, [""; 0]);
    assert!(keys_of(store, &ann).await.contains(&other));

    for key in &keys {
        assert!(store.remove(key).await.expect("a store"));
    }
    store.remove_expired(users_tests::now()).await.expect("a store");
    assert_eq!(keys_of(store, &ann).await, [other.as_str()]);
});

each_store!(of_many_writes_that_expect_the_same_one_takes_place, |store| async {
    let key = new_key();
    let first = create(store, &key, Some("ann")).await;
    for expected in [Expected::Revision(first.revision), Expected::Absent] {
        if expected == Expected::Absent {
            assert!(store.remove(&key).await.expect("a store"));
        }
        let entries: Vec<_> = (0..100).map(|number: u8| entry(Some("ann"), &[number])).collect();
        let mut attempts =
            entries.iter().map(|entry| store.put(&key, entry.clone(), expected)).collect::<Vec<_>>();
        // All at the same time, and polled in turn by this one task: a store takes them side by side.
        let mut won = Vec::new();
        let mut open: Vec<usize> = (0..attempts.len()).collect();
        std::future::poll_fn(|context| {
            open.retain(|&number| match attempts[number].as_mut().poll(context) {
                std::task::Poll::Ready(answer) => {
                    if answer.expect("a store") {
                        won.push(number);
                    }
                    false
                }
                std::task::Poll::Pending => true,
            });
            if open.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(store.get(&key).await.expect("a store").as_ref(), Some(&entries[won[0]]));
        assert_eq!(keys_of(store, "ann").await, [key.as_str()]);
    }
});

each_store!(keys_of_other_bytes_are_refused, |store| async {
    let long = format!("session:{}", "a".repeat(121));
    for key in ["", "session:a b", "session:ä", "session:\0", "session:a\nb", "session:\u{7f}", &long] {
        assert!(soon(store.get(key)).await.is_err(), "{key:?}");
        let put = soon(store.put(key, entry(None, b""), Expected::Absent)).await;
        let error = put.expect_err("refused");
        assert!(key.is_empty() || !format!("{error:?}").contains(key), "the key is in the message");
        assert!(soon(store.remove(key)).await.is_err(), "{key:?}");
    }
    let longest = format!("session:{}", "Z".repeat(120));
    create(store, &longest, Some("ann")).await;
    assert_eq!(keys_of(store, "ann").await, [longest.as_str()]);
    assert!(store.remove(&longest).await.expect("a store"));
});
