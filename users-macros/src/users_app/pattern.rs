//! Paths of routes and patterns of paths, in axum's syntax.

/// A path whose segments are text or parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    /// `{name}`: any one segment.
    Parameter(String),
    /// `{*name}`: one or more segments up to the end.
    Rest(String),
}

impl Pattern {
    /// Reads a pattern; the error says what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(position) = text.find(['?', '#']) {
            return Err(format!("a route is a path alone; write `{}`", &text[..position]));
        }
        if let Some(wrong) = text
            .chars()
            .find(|letter| letter.is_whitespace() || letter.is_control() || "\\\"".contains(*letter))
        {
            return Err(format!(
                "`{text}` has `{}` in it; write a path of letters, digits, `-` and `_`",
                wrong.escape_debug()
            ));
        }
        let Some(path) = text.strip_prefix('/') else {
            return Err(format!("`{text}` does not start with `/`; write `/{text}`"));
        };
        if path.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let kept = path.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/");
        if kept != path {
            return Err(format!("`{text}` has an empty segment; write `/{kept}`"));
        }
        let segments = path.split('/').map(Segment::parse).collect::<Result<Vec<_>, _>>()?;
        if let Some(rest) = segments.iter().rev().skip(1).find(|segment| matches!(segment, Segment::Rest(_)))
        {
            let rest = rest.shown();
            return Err(format!("`{rest}` takes the rest of the path; write it as the last segment"));
        }
        let names: Vec<_> = segments.iter().filter_map(Segment::name).collect();
        if let Some(twice) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
            return Err(format!(
                "the parameter `{}` stands here twice; give each a name of its own",
                twice.1
            ));
        }
        Ok(Self(segments))
    }

    /// Whether there is a parameter in it.
    pub(super) fn has_parameters(&self) -> bool {
        self.0.iter().any(|segment| segment.name().is_some())
    }

    /// Whether it covers routes that nobody has named.
    pub(super) fn opens_everything(&self) -> bool {
        self.0.first().is_some_and(|segment| segment.name().is_some())
    }

    /// Whether this pattern names `route`, whose parameters are one segment each, as a matched route.
    pub(super) fn covers(&self, route: &Self) -> bool {
        let mut theirs = route.0.iter();
        for ours in &self.0 {
            match (ours, theirs.next()) {
                (Segment::Rest(_), Some(_)) => return true,
                (Segment::Parameter(_), Some(_)) => {}
                (ours, Some(segment)) if ours == segment => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    /// Whether both match the same paths; the names of parameters make no difference.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (Segment::Text(ours), Segment::Text(theirs)) => ours == theirs,
                (Segment::Parameter(_), Segment::Parameter(_)) | (Segment::Rest(_), Segment::Rest(_)) => true,
                _ => false,
            })
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix(':') {
            return Err(format!("`{text}` is the syntax of older versions of axum; write `{{{name}}}`"));
        }
        if let Some(name) = text.strip_prefix('*') {
            let name = if name.is_empty() { "path" } else { name };
            return Err(format!("`{text}` is the syntax of older versions of axum; write `{{*{name}}}`"));
        }
        if text == "." || text == ".." {
            return Err(format!("`{text}` never reaches a route; write the path itself"));
        }
        if !text.contains(['{', '}']) {
            return Ok(Self::Text(text.to_owned()));
        }
        let Some(inner) = text.strip_prefix('{') else {
            return Err(whole_segment(text));
        };
        let Some(end) = inner.find('}') else {
            return Err(format!("`{text}` is not closed; write `{text}}}`"));
        };
        if end + 1 != inner.len() {
            return Err(whole_segment(text));
        }
        let inner = &inner[..end];
        let (name, segment): (_, fn(String) -> Self) =
            inner.strip_prefix('*').map_or((inner, Self::Parameter), |name| (name, Self::Rest));
        if name.is_empty() {
            let example = text.replace('}', "path}");
            return Err(format!("`{text}` has no name; write one such as `{example}`"));
        }
        if !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
            return Err(format!("`{name}` is no name of a parameter; write letters, digits and `_`"));
        }
        Ok(segment(name.to_owned()))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Parameter(name) | Self::Rest(name) => Some(name),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parameter(name) => format!("{{{name}}}"),
            Self::Rest(name) => format!("{{*{name}}}"),
        }
    }
}

fn whole_segment(text: &str) -> String {
    format!("`{text}` mixes text and a parameter; a parameter is a whole segment, such as `{{id}}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_malformed_pattern_is_refused_with_the_right_one() {
        for (text, message) in [
            ("health", "`health` does not start with `/`; write `/health`"),
            ("", "`` does not start with `/`; write `/`"),
            ("/health/", "`/health/` has an empty segment; write `/health`"),
            ("/a//b", "`/a//b` has an empty segment; write `/a/b`"),
            ("//", "`//` has an empty segment; write `/`"),
            ("/users/:id", "`:id` is the syntax of older versions of axum; write `{id}`"),
            ("/files/*path", "`*path` is the syntax of older versions of axum; write `{*path}`"),
            ("/files/*", "`*` is the syntax of older versions of axum; write `{*path}`"),
            (
                "/file-{id}",
                "`file-{id}` mixes text and a parameter; a parameter is a whole segment, such as `{id}`",
            ),
            (
                "/{id}.json",
                "`{id}.json` mixes text and a parameter; a parameter is a whole segment, such as `{id}`",
            ),
            (
                "/{a}{b}",
                "`{a}{b}` mixes text and a parameter; a parameter is a whole segment, such as `{id}`",
            ),
            ("/a/id}", "`id}` mixes text and a parameter; a parameter is a whole segment, such as `{id}`"),
            ("/a/{id", "`{id` is not closed; write `{id}`"),
            ("/a/{}", "`{}` has no name; write one such as `{path}`"),
            ("/a/{*}", "`{*}` has no name; write one such as `{*path}`"),
            ("/a/{**x}", "`*x` is no name of a parameter; write letters, digits and `_`"),
            ("/a/{id}/{id}", "the parameter `id` stands here twice; give each a name of its own"),
            ("/a/{*rest}/b", "`{*rest}` takes the rest of the path; write it as the last segment"),
            ("/a?b=1", "a route is a path alone; write `/a`"),
            ("/a#b", "a route is a path alone; write `/a`"),
            ("/a b", "`/a b` has ` ` in it; write a path of letters, digits, `-` and `_`"),
            ("/a/../b", "`..` never reaches a route; write the path itself"),
        ] {
            assert_eq!(Pattern::parse(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_whole_segments() {
        for (text, route, covers) in [
            ("/users/me", "/users/me", true),
            ("/users/{id}", "/users/me", true),
            ("/users/{*rest}", "/users/me", true),
            ("/users/{*rest}", "/users", false),
            ("/users", "/users/me", false),
            ("/users/me/{x}", "/users/me", false),
            ("/user", "/users", false),
            ("/", "/", true),
            ("/", "/users", false),
            ("/logout", "/login", false),
            ("/users/{x}", "/users/{id}", true),
            ("/users/{*rest}", "/users/{id}", true),
            ("/users/me", "/users/{id}", false),
            ("/users", "/users/{id}", false),
        ] {
            assert_eq!(pattern(text).covers(&pattern(route)), covers, "{text} and {route}");
        }
    }

    #[test]
    fn a_wildcard_in_the_first_segment_opens_everything() {
        for (text, everything) in [
            ("/{*path}", true),
            ("/{tenant}", true),
            ("/{tenant}/health", true),
            ("/a/{*path}", false),
            ("/", false),
        ] {
            assert_eq!(pattern(text).opens_everything(), everything, "{text}");
        }
    }

    #[test]
    fn names_of_parameters_make_no_second_pattern() {
        assert!(pattern("/a/{x}").same(&pattern("/a/{y}")));
        assert!(!pattern("/a/{x}").same(&pattern("/a/{*x}")));
        assert!(!pattern("/a").same(&pattern("/a/b")));
    }
}
