//! What passwords may be, and what is asked before one changes.

use serde_json::{Value, json};

use crate::{
    conformance::{
        Finding, Stop,
        answer::Answer,
        client::Client,
        ensure,
        site::{Person, Site},
    },
    password::PasswordPolicy,
};

/// Among the first that attackers try. Where the minimum is higher, they are refused for their length.
const COMMON: [&str; 6] = ["password", "12345678", "qwertyuiop", "iloveyou1", "PassWord", "password123"];

/// Registers somebody with this password.
async fn register(site: &Site, name: &str, password: &str) -> Result<Answer, Stop> {
    site.register_as(name, &site.identifier(name), password).await
}

/// Changes the own password.
async fn change(site: &Site, client: &Client, person: &Person, password: &str) -> Result<Answer, Stop> {
    let body = json!({"password": password, "current_password": person.password});
    client.patch(site.current_user()?.path, &body).await
}

/// Asks for a token of a mail that sets a new password.
async fn reset_token(site: &Site, person: &Person) -> Result<String, Stop> {
    let paths = site.password_reset()?;
    site.client().post(paths.forgot, &site.naming(&person.identifier)).await?.success()?;
    site.mailbox().token(person.address()?).await
}

async fn refused_at_registration(site: &Site, passwords: &[String]) -> Finding {
    for password in passwords {
        register(site, "ada", password).await?.names_field("password")?;
    }
    ensure!(site.stored(&site.identifier("ada")).await?.is_none(), "somebody was stored all the same");
    Ok(())
}

async fn refused_at_a_change(site: &Site, passwords: &[String]) -> Finding {
    site.current_user()?;
    let (person, client) = site.user("ada").await?;
    for password in passwords {
        change(site, &client, &person, password).await?.names_field("password")?;
    }
    site.logged_in(&person).await.map(drop)
}

async fn refused_at_a_reset(site: &Site, passwords: &[String]) -> Finding {
    let reset = site.password_reset()?.reset;
    let person = site.person("ada").await?;
    let token = reset_token(site, &person).await?;
    for password in passwords {
        let body = json!({"token": token, "password": password});
        site.client().post(reset, &body).await?.names_field("password")?;
    }
    Ok(())
}

/// One character less than the policy asks for, of one byte each and of four.
fn short(site: &Site) -> Vec<String> {
    let least = site.config().password_policy.min();
    let text: String = "xq7!kfwpzv".chars().cycle().take(least - 1).collect();
    vec![String::new(), text, "🦀".repeat(least - 1)]
}

fn common() -> Vec<String> {
    COMMON.map(str::to_owned).into()
}

/// Asserts that somebody with this password logs in with it.
async fn accepted(site: &Site, name: &str, password: &str) -> Finding {
    site.auth()?;
    let person = site.person_with(name, password.to_owned()).await?;
    site.logged_in(&person).await.map(drop)
}

pub(in crate::conformance) async fn s01_v6_2_1_a_password_below_the_minimum_is_refused_at_registration(
    site: Site,
) -> Finding {
    refused_at_registration(&site, &short(&site)).await
}

pub(in crate::conformance) async fn s01_v6_2_1_a_password_below_the_minimum_is_refused_at_a_change(
    site: Site,
) -> Finding {
    refused_at_a_change(&site, &short(&site)).await
}

pub(in crate::conformance) async fn s01_v6_2_1_a_password_below_the_minimum_is_refused_at_a_reset(
    site: Site,
) -> Finding {
    refused_at_a_reset(&site, &short(&site)).await
}

pub(in crate::conformance) async fn s01_v6_2_1_the_minimum_is_eight_characters_or_more(
    site: Site,
) -> Finding {
    refused_at_registration(&site, &["xq7!kfw".to_owned(), "🦀🦞🐙🦑🐠🐡🦐".to_owned()]).await
}

pub(in crate::conformance) async fn s01_v6_2_1_a_password_of_the_minimum_is_accepted(site: Site) -> Finding {
    let least = site.config().password_policy.min();
    let password: String = "xq7!kfwpzv".chars().cycle().take(least).collect();
    accepted(&site, "ada", &password).await?;
    accepted(&site, "ben", &"🦀🦞🐙🦑🐠🐡🦐🐚".chars().cycle().take(least).collect::<String>()).await
}

pub(in crate::conformance) async fn s02_v6_2_9_a_password_of_64_characters_or_more_is_accepted(
    site: Site,
) -> Finding {
    let least = site.config().password_policy.min();
    accepted(&site, "ada", &"vx kqwjz".chars().cycle().take(least.max(64)).collect::<String>()).await?;
    accepted(&site, "ben", &"🦀é".repeat(64)).await
}

pub(in crate::conformance) async fn s02_v6_2_9_a_password_of_257_characters_is_refused_and_never_hashed(
    site: Site,
) -> Finding {
    let person = site.person("ada").await?;
    let before = site.subject.password_computations();
    for length in [PasswordPolicy::MAX + 1, 5_000] {
        let long = "x".repeat(length);
        if site.register().is_ok() {
            register(&site, "ben", &long).await?.names_field("password")?;
        }
        if site.auth().is_ok() {
            let client = site.client();
            site.log_in(&client, &person.identifier, &long).await?.names_field("password")?;
        }
    }
    let hashed = site.subject.password_computations() - before;
    ensure!(hashed == 0, "{hashed} passwords were hashed that are too long to be one");
    Ok(())
}

pub(in crate::conformance) async fn s03_v6_2_5_no_kind_of_character_is_asked_for(site: Site) -> Finding {
    let least = site.config().password_policy.min();
    for (name, letters) in
        [("ada", "vxkqwjzmtr"), ("ben", "VXKQWJZMTR"), ("cleo", "0417392658"), ("dora", "дыщжэхъюбц")]
    {
        accepted(&site, name, &letters.chars().cycle().take(least.max(10)).collect::<String>()).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s03_v6_2_8_a_password_is_not_cut(site: Site) -> Finding {
    site.auth()?;
    // Longer than the 72 bytes that bcrypt looks at.
    let password = "pass phrase ".repeat(16).trim().to_owned();
    let person = site.person_with("ada", password.clone()).await?;
    for other in [&password[..72], &password[..128], &password[..password.len() - 1], &format!("{password}x")]
    {
        site.log_in(&site.client(), &person.identifier, other).await?.unauthenticated()?;
    }
    site.logged_in(&person).await.map(drop)
}

pub(in crate::conformance) async fn s03_v6_2_8_a_password_keeps_its_case_and_its_spaces(
    site: Site,
) -> Finding {
    site.auth()?;
    let password = format!("  {} Zo\u{eb} ", site.password());
    let person = site.person_with("ada", password.clone()).await?;
    for other in [
        password.trim().to_owned(),
        password.to_lowercase(),
        password.to_uppercase(),
        password.replace("  ", " "),
        password.replace('\u{eb}', "e\u{308}"),
    ] {
        site.log_in(&site.client(), &person.identifier, &other).await?.unauthenticated()?;
    }
    site.logged_in(&person).await.map(drop)
}

pub(in crate::conformance) async fn s04_v6_2_4_a_common_password_is_refused_at_registration(
    site: Site,
) -> Finding {
    refused_at_registration(&site, &common()).await
}

pub(in crate::conformance) async fn s04_v6_2_4_a_common_password_is_refused_at_a_change(
    site: Site,
) -> Finding {
    refused_at_a_change(&site, &common()).await
}

pub(in crate::conformance) async fn s04_v6_2_4_a_common_password_is_refused_at_a_reset(
    site: Site,
) -> Finding {
    refused_at_a_reset(&site, &common()).await
}

pub(in crate::conformance) async fn s05_v6_1_2_a_password_with_the_identifier_in_it_is_refused(
    site: Site,
) -> Finding {
    let identifier = site.identifier("hildegard");
    let word = identifier.split('@').next().unwrap_or_default().to_owned();
    for word in [word.clone(), word.to_uppercase()] {
        let password = format!("{word} {}", site.password());
        site.register_as("hildegard", &identifier, &password).await?.names_field("password")?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s05_v6_1_2_a_password_with_the_name_of_the_application_in_it_is_refused(
    site: Site,
) -> Finding {
    let name = site.config().app_name.trim().to_owned();
    if name.chars().count() < 4 {
        return Err(Stop::not_applicable("the application's name is too short to be kept out of passwords"));
    }
    let passwords = [&name, &name.to_uppercase()].map(|name| format!("{} {name}", site.password()));
    refused_at_registration(&site, &passwords).await
}

pub(in crate::conformance) async fn s07_v6_2_2_users_change_their_password(site: Site) -> Finding {
    site.current_user()?;
    let (person, client) = site.user("ada").await?;
    let new = site.other_password();
    change(&site, &client, &person, &new).await?.success()?;
    site.log_in(&site.client(), &person.identifier, &person.password).await?.unauthenticated()?;
    site.logged_in(&Person { password: new, ..person }).await.map(drop)
}

pub(in crate::conformance) async fn s07_v6_2_3_a_new_password_needs_the_current_one(site: Site) -> Finding {
    let path = site.current_user()?.path;
    let (person, client) = site.user("ada").await?;
    let new = site.other_password();
    for current in
        [None, Some(json!("")), Some(json!("not the password")), Some(json!(new)), Some(Value::Null)]
    {
        let mut body = json!({ "password": new });
        if let Some(current) = current {
            body["current_password"] = current;
        }
        client.patch(path, &body).await?.refused()?;
    }
    site.logged_in(&person).await.map(drop)
}

pub(in crate::conformance) async fn s07_v7_5_1_a_new_identifier_needs_the_current_password(
    site: Site,
) -> Finding {
    let path = site.current_user()?.path;
    let (person, client) = site.user("ada").await?;
    for current in [None, Some("not the password")] {
        let mut body = site.naming(&site.identifier("adele"));
        if let Some(current) = current {
            body["current_password"] = json!(current);
        }
        client.patch(path, &body).await?.refused()?;
    }
    site.logged_in(&person).await.map(drop)
}

pub(in crate::conformance) async fn s08_v11_4_2_passwords_are_stored_as_argon2id_with_salts_of_their_own(
    site: Site,
) -> Finding {
    let mut hashes = Vec::new();
    for name in ["ada", "ben"] {
        let person = site.person(name).await?;
        let stored = site.stored(&person.identifier).await?;
        hashes.extend(stored.map(|stored| stored.password_hash));
    }
    for hash in &hashes {
        let cost = |name: &str| {
            let parameters = hash.split('$').nth(3)?;
            parameters
                .split(',')
                .find_map(|one| one.strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok())
        };
        let [memory, passes, lanes] = ["m", "t", "p"].map(|name| cost(name).unwrap_or_default());
        ensure!(
            hash.starts_with("$argon2id$v=19$") && memory >= 19_456 && passes >= 2 && lanes >= 1,
            "a password is stored in another form, or at a lower cost than 19 MiB and two passes"
        );
    }
    ensure!(hashes.len() == 2 && hashes[0] != hashes[1], "two users with one password have one hash");
    Ok(())
}

pub(in crate::conformance) async fn s60_v6_3_7_a_changed_password_is_told_by_mail(site: Site) -> Finding {
    site.current_user()?;
    let (person, client) = site.user("ada").await?;
    let address = person.address()?;
    change(&site, &client, &person, &site.other_password()).await?.success()?;
    site.mailbox().next(address).await.map(drop)
}
