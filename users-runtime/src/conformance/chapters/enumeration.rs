//! Who learns which accounts there are.

use crate::conformance::{Finding, Stop, ensure, site::Site};

pub(in crate::conformance) async fn s10_v6_3_8_a_login_answers_an_unknown_account_like_a_wrong_password(
    site: Site,
) -> Finding {
    site.auth()?;
    let person = site.person("ada").await?;
    let wrong = site.log_in(&site.client(), &person.identifier, &site.other_password()).await?;
    let unknown = site.log_in(&site.client(), &site.identifier("nobody"), &site.other_password()).await?;
    let malformed = site.log_in(&site.client(), "no identifier, at all", &site.other_password()).await?;
    wrong.like(&unknown)?;
    wrong.like(&malformed)?;
    wrong.unauthenticated().map(drop)
}

pub(in crate::conformance) async fn s10_v6_3_8_a_login_answers_a_deactivated_account_like_an_unknown_one(
    site: Site,
) -> Finding {
    site.auth()?;
    let person = site.person("ada").await?;
    site.deactivate(&person).await?;
    let right = site.log_in(&site.client(), &person.identifier, &person.password).await?;
    let unknown = site.log_in(&site.client(), &site.identifier("nobody"), &person.password).await?;
    right.like(&unknown)
}

pub(in crate::conformance) async fn s10_v6_3_8_a_login_tells_of_a_missing_verification_to_whoever_has_the_password(
    site: Site,
) -> Finding {
    site.auth()?;
    site.verify()?;
    let person = site.newcomer("ada").await?;
    let wrong = site.log_in(&site.client(), &person.identifier, &site.other_password()).await?;
    let unknown = site.log_in(&site.client(), &site.identifier("nobody"), &site.other_password()).await?;
    wrong.like(&unknown)
}

pub(in crate::conformance) async fn s10_v6_3_8_a_request_for_tokens_answers_an_unknown_account_like_a_wrong_password(
    site: Site,
) -> Finding {
    let path = site.tokens()?.token;
    let person = site.person("ada").await?;
    let (nobody, other) = (site.identifier("nobody"), site.other_password());
    let mut answers = Vec::new();
    for identifier in [&person.identifier, &nobody] {
        let fields = [("grant_type", "password"), ("username", identifier), ("password", &other)];
        answers.push(site.client().call("POST", path).form(&fields).send().await?.refused()?);
    }
    answers[0].like(&answers[1])
}

pub(in crate::conformance) async fn s10_v6_3_8_a_forgotten_password_is_answered_alike_without_an_account(
    site: Site,
) -> Finding {
    let path = site.password_reset()?.forgot;
    let person = site.person("ada").await?;
    let known = site.client().post(path, &site.naming(&person.identifier)).await?.success()?;
    for other in [site.identifier("nobody"), "no identifier, at all".to_owned()] {
        known.like(&site.client().post(path, &site.naming(&other)).await?)?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s10_v6_3_8_a_verification_is_sent_again_alike_without_an_account(
    site: Site,
) -> Finding {
    let path = site.verify()?.resend;
    let verified = site.person("ada").await?.identifier;
    let known = site.client().post(path, &site.naming(&verified)).await?.success()?;
    let mut others = vec![site.identifier("nobody"), "no identifier, at all".to_owned()];
    if site.register().is_ok() {
        others.push(site.newcomer("ben").await?.identifier);
    }
    for other in others {
        known.like(&site.client().post(path, &site.naming(&other)).await?)?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s10_v6_3_8_no_mail_goes_to_an_address_without_an_account(
    site: Site,
) -> Finding {
    if site.traits.kind != crate::validate::IdentifierKind::Email {
        return Err(Stop::not_applicable("people log in with a name, and a name is no address"));
    }
    let nobody = site.identifier("nobody");
    let paths = [
        site.traits.groups.verify.map(|paths| paths.resend),
        site.traits.groups.password_reset.map(|paths| paths.forgot),
    ];
    let paths: Vec<_> = paths.into_iter().flatten().collect();
    if paths.is_empty() {
        return Err(Stop::not_applicable("no route sends mail"));
    }
    for path in paths {
        site.client().post(path, &site.naming(&nobody)).await?;
    }
    let mails = site.mailbox().settled(&nobody).await;
    ensure!(mails == 0, "{mails} mails went to somebody who has no account");
    Ok(())
}

pub(in crate::conformance) async fn s11_v6_3_8_a_login_costs_the_same_work_without_an_account(
    site: Site,
) -> Finding {
    site.auth()?;
    let person = site.person("ada").await?;
    for identifier in [&person.identifier, &site.identifier("nobody")] {
        let before = site.subject.password_computations();
        site.log_in(&site.client(), identifier, &site.other_password()).await?.unauthenticated()?;
        let computed = site.subject.password_computations() - before;
        ensure!(computed == 1, "a login of {identifier} computes {computed} passwords and not one");
    }
    Ok(())
}
