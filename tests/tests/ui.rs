//! What the macros say about mistakes, word by word. What has to compile is in `ui/pass`, each file a target of its own.
//!
//! After a change of words, `TRYBUILD=overwrite cargo test -p users-tests --test ui` writes the new ones down.

use std::{fs, path::Path};

#[test]
fn mistakes_are_reported_at_the_users_tokens() {
    // Without cases that pass, trybuild checks all of them at once.
    trybuild::TestCases::new().compile_fail("ui/fail/*/*.rs");
}

/// Every recorded output with its name, such as `model/role_types`.
fn outputs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/fail");
    let mut outputs = Vec::new();
    for group in fs::read_dir(folder).expect("the folder of the cases") {
        for file in fs::read_dir(group.expect("a group").path()).expect("a folder of cases") {
            let path = file.expect("a case").path();
            if path.extension().is_some_and(|extension| extension == "stderr") {
                let name = path.with_extension("");
                let parts: Vec<_> = name.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
                let text = fs::read_to_string(&path).expect("an output");
                outputs.push((format!("{}/{}", parts[1], parts[0]), text));
            }
        }
    }
    outputs
}

fn errors(output: &str) -> usize {
    output.lines().filter(|line| line.starts_with("error")).count()
}

#[test]
fn one_mistake_is_one_error_and_points_at_no_generated_code() {
    let outputs = outputs();
    let of = |name: &str| {
        outputs.iter().find(|(other, _)| other == name).map(|(_, text)| text.as_str()).expect("the case")
    };
    for (name, expected) in [
        ("model/three_mistakes", 3),
        ("app/broken_struct", 1),
        ("app/every_mistake", 5),
        ("app/user_is_no_model", 1),
        ("app/hooks_without_the_trait", 1),
        // Two fields each.
        ("types/column", 2),
        ("types/request", 2),
        ("types/import", 2),
        ("types/response", 2),
        ("types/initial", 1),
    ] {
        assert_eq!(errors(of(name)), expected, "{name}");
    }
    for name in ["model/three_mistakes", "app/broken_struct", "app/every_mistake"] {
        assert!(!of(name).contains("originates in"), "{name}");
    }
}

#[test]
fn messages_are_in_lower_case_without_a_full_stop_or_a_path_of_this_machine() {
    let outputs = outputs();
    assert!(outputs.len() > 50, "the cases are there");
    for (name, text) in outputs {
        assert!(!text.contains("--> /"), "{name} names a path of this machine");
        assert!(!text.lines().any(|line| line.starts_with("warning")), "{name} warns too");
        // Errors with a code are the compiler's.
        for message in text.lines().filter_map(|line| line.strip_prefix("error: ")) {
            assert!(!message.starts_with(char::is_uppercase) && !message.ends_with('.'), "{name}: {message}");
        }
    }
}
