//! What people may be called: one form for each identifier, unique in the database.

use crate::{
    conformance::{Finding, Stop, ensure, site::Site},
    validate::IdentifierKind,
};

/// Asserts that another spelling of a registered identifier is taken, and logs in.
async fn is_the_same(site: &Site, name: &str, spellings: &[String]) -> Finding {
    let person = site.person(name).await?;
    for spelling in spellings {
        if site.register().is_ok() {
            let answer = site.register_as("other", spelling, &site.password()).await?;
            ensure!(answer.status == 409, "{}, to `{spelling}`, which is taken", answer.shown());
        }
        if site.auth().is_ok() {
            site.log_in(&site.client(), spelling, &person.password).await?.success()?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s57_an_identifier_in_another_case_is_the_same(site: Site) -> Finding {
    let own = site.identifier("hildegard");
    let spellings = [own.to_uppercase(), format!("  {own} "), own.replacen('h', "H", 1)];
    is_the_same(&site, "hildegard", &spellings).await
}

/// The same letters in full width, which NFKC folds.
fn wide(text: &str) -> String {
    let widened = text.chars().map(|character| {
        let offset = u32::from(character);
        if character.is_ascii_graphic() {
            char::from_u32(offset + 0xfee0).unwrap_or(character)
        } else {
            character
        }
    });
    widened.collect()
}

pub(in crate::conformance) async fn s57_an_identifier_in_another_normal_form_is_the_same(
    site: Site,
) -> Finding {
    let own = site.identifier("hildegard");
    let spellings = [wide(&own), format!("\u{a0}{own}")];
    is_the_same(&site, "hildegard", &spellings).await
}

/// Refuses each of these as an identifier of a registration.
async fn refused(site: &Site, identifiers: impl IntoIterator<Item = String>) -> Finding {
    site.register()?;
    for identifier in identifiers {
        let answer = site.register_as("ada", &identifier, &site.password()).await?;
        ensure!(answer.status == 422, "{}, to the identifier {identifier:?}", answer.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s57_look_alikes_are_refused(site: Site) -> Finding {
    // Cyrillic letters among Latin ones, and Cyrillic letters that all look Latin.
    let own = site.identifier("paypal");
    let mixed = own.replacen('a', "\u{430}", 1);
    let apple = site.identifier("x").replacen('x', "\u{430}\u{440}\u{440}\u{4cf}\u{435}", 1);
    refused(&site, [mixed, apple, format!("\u{200b}{own}"), format!("{own}\u{202e}")]).await
}

pub(in crate::conformance) async fn s57_separators_and_line_breaks_are_refused(site: Site) -> Finding {
    let own = site.identifier("ada");
    let mut identifiers = vec![
        String::new(),
        format!("{own},eve@evil.example"),
        format!("{own}\u{ff0c}eve@evil.example"),
        format!("{own};eve"),
        format!("{own}\r\nBcc: all@evil.example"),
        format!("{own}\n"),
        format!("\r{own}"),
        format!("Ada <{own}>"),
        format!("\"ada eve\"{own}"),
        "a".repeat(2_000),
    ];
    if site.traits.kind == IdentifierKind::Email {
        identifiers.extend(
            ["ada", "@example.com", "ada@", "ada@@example.com", "ada@example..com"].map(str::to_owned),
        );
    }
    refused(&site, identifiers).await
}

pub(in crate::conformance) async fn s57_v15_4_2_of_twenty_registrations_at_once_one_succeeds(
    site: Site,
) -> Finding {
    let path = site.register()?.path;
    let own = site.identifier("ada");
    let spellings = [own.clone(), own.to_uppercase(), format!(" {own}"), wide(&own)];
    let password = site.password();
    let bodies: Vec<_> = spellings
        .iter()
        .cycle()
        .take(20)
        .map(|spelling| site.registration("ada", spelling, &password))
        .collect();
    let answers = site.at_once("POST", path, &bodies).await?;
    let succeeded = answers.iter().filter(|answer| answer.succeeded()).count();
    ensure!(succeeded == 1, "{succeeded} of twenty registrations of one identifier succeeded");
    let others = answers.iter().find(|answer| !answer.succeeded() && !matches!(answer.status, 409 | 503));
    match others {
        Some(answer) => Err(Stop::failed(format!("{}, and should say that it is taken", answer.shown()))),
        None => Ok(()),
    }
}
