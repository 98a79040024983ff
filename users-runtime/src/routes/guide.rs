//! What a router answers, for people: a table of its generated routes and lines to copy into a shell.

use std::fmt::Write;

use super::UsersRouter;
use crate::{
    app::Application,
    auth::Backend,
    model::UserModel,
    operation::{Access, GeneratedRoute},
};

impl<A: Application> UsersRouter<A> {
    /// The generated routes and `curl` lines for the life of a user, to print when a server starts.
    #[must_use]
    pub fn guide(&self, origin: &str) -> String {
        let mut guide = String::from("routes:\n");
        for GeneratedRoute { method, path, access, summary, .. } in self.routes() {
            let who = match access {
                Access::Anyone => "anyone",
                Access::User => "user",
                Access::Guarded => "guard",
            };
            // Writing to a `String` cannot fail.
            let _ = writeln!(guide, "  {:<6} {path:<20} {who:<8} {summary}", method.as_str());
        }
        guide.push_str("\ntry it:\n");
        for line in self.lines(origin) {
            let _ = writeln!(guide, "  {line}");
        }
        guide
    }

    fn lines(&self, origin: &str) -> Vec<String> {
        let routes = A::ROUTES;
        let key = A::User::IDENTIFIER.field;
        let address = match A::User::IDENTIFIER.kind {
            crate::validate::IdentifierKind::Email => "ada@example.com",
            crate::validate::IdentifierKind::Username => "ada",
        };
        let json = "-H 'Content-Type: application/json'";
        let password = "correct horse battery staple";
        let new_password = "yet another long one";
        // A credential that no browser adds by itself is a header, and the shell keeps it in a variable.
        let request = http::Request::new(()).into_parts().0;
        let in_header = !self.users.backend().is_ambient(&request);
        let credential =
            if in_header { "-H \"Authorization: Bearer $TOKEN\"" } else { "-b cookies.txt -c cookies.txt" };
        let mut lines = Vec::new();
        if let Some(paths) = routes.register {
            lines.push(format!(
                "curl -i {origin}{} {json} -d '{{\"{key}\": \"{address}\", \"password\": \"{password}\"}}'",
                paths.path
            ));
        }
        if let Some(paths) = routes.verify {
            lines.push(format!(
                "curl -i {origin}{} {json} -d '{{\"token\": \"<token from the mail>\"}}'",
                paths.path
            ));
        }
        let log_in = |path, password| {
            let body = format!("-d '{{\"{key}\": \"{address}\", \"password\": \"{password}\"}}'");
            if in_header {
                format!("TOKEN=$(curl -s '{origin}{path}?response=token' {json} {body} | cut -d'\"' -f4)")
            } else {
                format!("curl -i -c cookies.txt {origin}{path} {json} {body}")
            }
        };
        if let Some(paths) = routes.auth {
            lines.push(log_in(paths.login, password));
        }
        if let Some(paths) = routes.current_user {
            lines.push(format!("curl -i {credential} {origin}{}", paths.path));
            lines.push(format!(
                "curl -i {credential} -X PATCH {origin}{} {json} \
                 -d '{{\"password\": \"a new one, just as long\", \"current_password\": \"{password}\"}}'",
                paths.path
            ));
        }
        if let Some(paths) = routes.password_reset {
            lines.push(format!("curl -i {origin}{} {json} -d '{{\"{key}\": \"{address}\"}}'", paths.forgot));
            lines.push(format!(
                "curl -i {origin}{} {json} \
                 -d '{{\"token\": \"<token from the mail>\", \"password\": \"{new_password}\"}}'",
                paths.reset
            ));
        }
        if let Some(paths) = routes.auth {
            // A reset ends every credential.
            if routes.password_reset.is_some() {
                lines.push(log_in(paths.login, new_password));
            }
            lines.push(format!("curl -i {credential} -X POST {origin}{}", paths.logout));
        }
        lines
    }
}
