//! What the OpenAPI document of an application says of a response: a client of the tests looks at each that it gets.

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::Answer;

/// The document of an application; nothing where it serves none.
#[derive(Debug, Default)]
pub(crate) struct Documented(Value);

impl Documented {
    /// The one that is served at this origin.
    pub(crate) async fn at(http: &reqwest::Client, base: &str) -> Self {
        let answer = http.get(format!("{base}/schema/openapi.json")).send().await;
        let Some(answer) = answer.ok().filter(|answer| answer.status() == StatusCode::OK) else {
            return Self::default();
        };
        Self(answer.json().await.unwrap_or_default())
    }

    /// The operation at a path, of which the document has the pattern.
    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let paths = self.0["paths"].as_object()?;
        let fitting = paths.iter().filter(|(pattern, _)| fits(pattern, path));
        // A path that is written out wins over one with a parameter.
        let (_, item) = fitting.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        item.get(method.as_str().to_ascii_lowercase())
    }

    /// Fails unless the document has the response: its status, its media type and the code of a problem. Defects that
    /// a test makes on purpose are in no document, and what no operation answers is not the document's business.
    pub(crate) fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let Some(operation) = self.operation(method, path) else { return };
        if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
            return;
        }
        let response = &operation["responses"][answer.status.as_str()];
        let said = format!("{method} {path} answered {} {}", answer.status, answer.text);
        assert!(response.is_object(), "the document lacks the status: {said}");
        if answer.text.is_empty() {
            return;
        }
        let media_type = answer.header(header::CONTENT_TYPE.as_str());
        let content = response["content"].get(media_type);
        let content = content.unwrap_or_else(|| panic!("the document lacks `{media_type}`: {said}"));
        let codes = &content["schema"]["allOf"][1]["properties"]["code"]["enum"];
        if let Some(codes) = codes.as_array().filter(|_| media_type == "application/problem+json") {
            assert!(codes.contains(&Value::String(answer.code())), "the document lacks the code: {said}");
        }
    }
}

/// Whether a path is one of those that a pattern such as `/users/{id}` stands for.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let same =
        |(wanted, found): (&&str, &&str)| wanted == found || wanted.starts_with('{') && !found.is_empty();
    pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, media_type: &str, text: &str) -> Answer {
        let mut headers = header::HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, text: text.to_owned() }
    }

    #[allow(clippy::needless_pass_by_value, reason = "methods are values in the lines below")]
    fn check(method: Method, path: &str, status: u16, media_type: &str, text: &str) -> bool {
        let codes = json!({"allOf": [{}, {"properties": {"code": {"enum": ["not_found"]}}}]});
        let document = Documented(json!({"paths": {
            "/users/me": {"get": {"responses": {"200": {"content": {"application/json": {}}}}}},
            "/users/{id}": {"delete": {"responses": {
                "204": {},
                "404": {"content": {"application/problem+json": {"schema": codes}}},
            }}},
        }}));
        let answer = answer(status, media_type, text);
        std::panic::catch_unwind(|| document.check(&method, path, &answer)).is_ok()
    }

    #[test]
    fn a_response_that_the_document_lacks_is_found() {
        let problem = "application/problem+json";
        assert!(check(Method::GET, "/users/me", 200, "application/json", "{}"));
        assert!(check(Method::HEAD, "/users/me", 200, "application/json", ""));
        assert!(check(Method::DELETE, "/users/7", 204, "", ""));
        assert!(check(Method::DELETE, "/users/7", 404, problem, r#"{"code": "not_found"}"#));
        // What is none of its business.
        assert!(check(Method::GET, "/elsewhere", 418, "text/plain", "x"));
        assert!(check(Method::PUT, "/users/me", 405, problem, "{}"));
        assert!(check(Method::GET, "/users/me", 500, problem, "{}"));

        assert!(!check(Method::GET, "/users/me", 201, "application/json", "{}"));
        assert!(!check(Method::GET, "/users/me", 200, "text/plain", "x"));
        assert!(!check(Method::DELETE, "/users/7", 404, problem, r#"{"code": "gone"}"#));
        assert!(!check(Method::DELETE, "/users/7", 404, "text/plain", "no"));
    }
}
