//! What an application says when something goes wrong.

use serde_json::{Value, json};

use crate::{
    app::Group,
    conformance::{Finding, Stop, answer::Answer, ensure, site::Site},
};

/// Every error that strangers and users come by easily, and whether it is one of RFC 6749.
async fn errors(site: &Site) -> Result<Vec<(Answer, bool)>, Stop> {
    let person = site.person("ada").await?;
    let mut answers = Vec::new();
    for (route, path) in site.addresses() {
        let client = match route.access {
            crate::operation::Access::Anyone => site.client(),
            _ if site.auth().is_ok() => site.logged_in(&person).await?,
            _ => site.client(),
        };
        let by_form = route.group == Group::Tokens;
        for body in ["", "{", "{\"x\":1}", "[]", "\u{0}"] {
            let call = client.snapshot();
            let call = call.call(route.method.as_str(), &path).body("application/json", body);
            answers.push((call.send().await?, by_form));
        }
        answers.push((site.client().bare("PROPFIND", &path).await?, false));
        answers.push((site.client().get(&format!("{path}?sort=%00&limit=x&after=%ff")).await?, by_form));
        answers.push((site.client().get(&format!("{path}/' OR 1=1 --")).await?, false));
    }
    for path in ["/no/such/route", "/%ff", "/..%2f..%2fetc%2fpasswd"] {
        answers.push((site.client().get(path).await?, false));
    }
    answers.retain(|(answer, _)| answer.status >= 400);
    Ok(answers)
}

/// Whether a body is the problem of RFC 6749, section 5.2.
fn is_token_problem(body: &Value) -> bool {
    body["error"].is_string() && body["error_description"].is_string()
}

pub(in crate::conformance) async fn s58_v16_5_1_every_error_is_a_problem_document_with_a_code(
    site: Site,
) -> Finding {
    for (answer, by_form) in errors(&site).await? {
        ensure!(answer.status < 500, "{}", answer.shown());
        let body = answer.json();
        if answer.status == 400 && by_form && is_token_problem(&body) {
            continue;
        }
        let typed = answer.header("content-type").starts_with("application/problem+json");
        let said = body["status"] == answer.status
            && ["type", "title", "detail"].iter().all(|member| body[member].is_string())
            && !answer.code().is_empty();
        ensure!(typed && said, "{}, which is no problem document (RFC 9457)", answer.shown());
    }
    Ok(())
}

/// What tells of the inside of a program.
const TRACES: [&str; 14] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "sqlx",
    "sqlite",
    "SQLITE",
    "panicked",
    "src/",
    ".rs:",
    "RUST_BACKTRACE",
    "users_sessions",
    "users_outbox",
    "stack backtrace",
    "thread '",
];

pub(in crate::conformance) async fn s58_v16_5_1_no_error_shows_sql_a_path_or_a_trace(site: Site) -> Finding {
    let folder = site.folder();
    for (answer, _) in errors(&site).await? {
        let found = TRACES.into_iter().chain([folder.as_str()]).find(|trace| answer.text.contains(trace));
        ensure!(found.is_none(), "{}, and shows `{}`", answer.shown(), found.unwrap_or_default());
    }
    Ok(())
}

pub(in crate::conformance) async fn s58_v16_5_1_no_error_repeats_a_password(site: Site) -> Finding {
    let person = site.person("ada").await?;
    let secret = format!("{} that nobody repeats", site.other_password());
    for form in site.forms(&person).into_iter().filter(|form| !form.login) {
        let mut wrong = vec![form.body.to_string().replace(&site.password(), &secret)];
        wrong.push(format!("{}x", wrong[0]));
        wrong.push(json!({ "password": secret, (secret.clone()): 1 }).to_string());
        wrong.push(json!({ "password": [secret] }).to_string());
        for body in wrong {
            let client = site.client();
            let answer = client.call(form.method, &form.path).body("application/json", body).send().await?;
            // A key is not what anybody writes a password into.
            let repeats = answer.json()["detail"].as_str().is_some_and(|detail| detail.contains(&secret));
            let echoes = answer.json()["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|error| error["detail"].as_str().is_some_and(|detail| detail.contains(&secret)));
            ensure!(!repeats && !echoes, "{} repeats what it was sent as a password", answer.asked);
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s58_v16_5_3_without_a_database_nobody_gets_in(site: Site) -> Finding {
    let (person, client) = site.user("ada").await?;
    site.lets_in(&client).await?;
    site.tenant.close_database().await;
    let mut answers = vec![site.knock(&client).await?, site.knock(&site.client()).await?];
    answers.push(site.log_in(&site.client(), &person.identifier, &person.password).await?);
    for answer in answers {
        ensure!(matches!(answer.status, 401 | 503), "{}, while there is no database", answer.shown());
        let shown = TRACES.into_iter().find(|trace| answer.text.contains(trace));
        ensure!(shown.is_none(), "{}, and tells of the database", answer.shown());
    }
    Ok(())
}
