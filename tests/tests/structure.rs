//! What the README claims of the sources, compared with the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use users_runtime::{Config, SecretKey, UsersRouter};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The block of the README that starts with this line.
fn block(readme: &str, start: &str) -> String {
    let (_, rest) = readme.split_once(start).unwrap_or_else(|| panic!("the README has no block {start}"));
    rest.split_once("\n```").expect("the block ends").0.trim_start_matches('\n').to_owned()
}

#[test]
fn the_program_in_the_readme_is_the_quickstart() {
    let readme = read("README.md");
    assert_eq!(block(&readme, "```rust\n") + "\n", read("examples/quickstart/src/main.rs"));
}

#[test]
fn the_client_in_the_readme_is_in_an_example_that_is_compiled() {
    let shown = block(&read("README.md"), "```rust,ignore\nlet client = Client::new");
    let compiled = read("users-runtime/src/client/mod.rs");
    assert!(shown.lines().count() > 3);
    for line in shown.lines().skip(1).map(str::trim) {
        assert!(compiled.lines().any(|other| other.trim_start_matches("//!").trim() == line), "{line}");
    }
}

/// Every module of the runtime and its floor, as the README has it.
fn floors(readme: &str) -> BTreeMap<String, usize> {
    let table = block(readme, "```text\n0  ");
    let mut floors = BTreeMap::new();
    let mut floor = 0;
    for line in format!("0  {table}").lines() {
        // A floor's number and its modules stand before the column of explanations.
        let names: String = line.chars().take(39).collect();
        let mut words = names.split([' ', ',']).filter(|word| !word.is_empty()).peekable();
        if let Some(number) = words.peek().and_then(|word| word.parse().ok()) {
            floor = number;
            words.next();
        }
        floors.extend(words.map(|name| (name.to_owned(), floor)));
    }
    floors
}

/// The first segment of each path that a file imports or names from `crate`.
fn imports(source: &str) -> Vec<String> {
    // Tests may look wherever they like.
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut names = Vec::new();
    for piece in source.split("crate::").skip(1) {
        if let Some(list) = piece.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for character in list.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(character),
                    _ => {}
                }
            }
            names.push(name);
        } else {
            names.push(piece.to_owned());
        }
    }
    let first = |path: &String| {
        let path = path.trim();
        let end = path.find(|character: char| !character.is_alphanumeric() && character != '_');
        path[..end.unwrap_or(path.len())].to_owned()
    };
    names.iter().map(first).filter(|name| !name.is_empty()).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources").filter_map(Result::ok);
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { sources(&path) } else { vec![path] }
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

#[test]
fn modules_import_from_lower_floors_only() {
    let floors = floors(&read("README.md"));
    let folder = root().join("users-runtime/src");
    let mut wrong = Vec::new();
    let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
    for path in sources(&folder) {
        let relative = path.strip_prefix(&folder).expect("below the folder");
        let module = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let module = module.trim_end_matches(".rs").to_owned();
        let Some(floor) = floors.get(&module) else {
            wrong.push(format!("`{module}` stands on no floor"));
            continue;
        };
        if *floor == 10 {
            continue;
        }
        for name in imports(&fs::read_to_string(&path).expect("a source")) {
            // What macros name by `$crate` is public and no module.
            let Some(other) = floors.get(&name) else { continue };
            if name == module {
                continue;
            }
            if other > floor {
                wrong.push(format!("{} ({floor}) imports `{name}` ({other})", relative.display()));
            }
            graph.entry(module.clone()).or_default().insert(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(graph.len() > 15, "the imports were not found: {graph:?}");
    // Whatever imports nothing that is left can go; a circle stays.
    while let Some(free) = graph.iter().find(|(_, to)| !to.iter().any(|name| graph.contains_key(name))) {
        let free = free.0.clone();
        graph.remove(&free);
    }
    assert!(graph.is_empty(), "a circle: {graph:#?}");
}

#[test]
fn services_know_no_responses_and_routes_no_sql() {
    let folder = root().join("users-runtime/src");
    for (module, forbidden) in [
        ("service", &["axum", "IntoResponse", "StatusCode", "sqlx", "SELECT", "INSERT"][..]),
        ("routes", &["sqlx", "SELECT", "INSERT", "database"]),
        ("auth", &["axum", "sqlx", "SELECT"]),
    ] {
        for path in sources(&folder.join(module)) {
            let source = fs::read_to_string(&path).expect("a source");
            let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for word in forbidden {
                assert!(!code.contains(word), "{} names `{word}`", path.display());
            }
        }
    }
}

#[test]
fn the_features_in_the_readme_are_those_of_the_runtime() {
    let readme = read("README.md");
    let (_, table) = readme.split_once("## Cargo features").expect("the section");
    let table = table.split("\n## ").next().unwrap_or_default();
    let mut documented: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split(','))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    documented.sort();
    let manifest = read("users-runtime/Cargo.toml");
    let (_, features) = manifest.split_once("[features]\n").expect("the table");
    let features = features.split("\n[").next().unwrap_or_default();
    let mut real: Vec<_> = features
        .lines()
        .filter_map(|line| line.split_once(" = ["))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "default")
        .collect();
    real.sort();
    assert_eq!(documented, real);
}

#[test]
fn the_readme_counts_the_common_passwords() {
    let count = read("users-runtime/data/common-passwords.txt").lines().count();
    assert!(count >= 10_000);
    let thousands = format!("{},{:03}", count / 1000, count % 1000);
    assert!(
        read("README.md").contains(&format!("not among {thousands} common ones")),
        "there are {thousands}"
    );
}

#[tokio::test]
async fn the_guide_shows_the_header_to_clients_without_cookies() {
    let config = || Config::new(SecretKey::generate().expect("randomness"));
    let users = users_tests::apps::jwt::Users::connect("sqlite::memory:", config()).await.expect("it starts");
    let guide = UsersRouter::new(users).guide("http://localhost");
    assert!(guide.contains("TOKEN=$(curl -s 'http://localhost/login?response=token'"), "{guide}");
    assert!(guide.contains("-H \"Authorization: Bearer $TOKEN\""), "{guide}");
    let users =
        users_tests::apps::session::Users::connect("sqlite::memory:", config()).await.expect("it starts");
    let guide = UsersRouter::new(users).guide("http://localhost");
    assert!(guide.contains("-b cookies.txt") && !guide.contains("TOKEN"), "{guide}");
}

/// The requirements on what there is so far: passwords, sessions, tokens, links, identity providers, requests, guards and
/// failures. Throttles, second factors and audit events are yet to come.
const DUE: &[u32] = &[
    1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
    35, 36, 37, 38, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 60,
];

#[test]
fn every_security_requirement_that_is_due_has_a_test_of_its_number() {
    let sources: String = ["tests/tests", "users-runtime/src"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|path| fs::read_to_string(path).expect("a source"))
        .collect();
    let has_test = |number: u32| {
        let groups = ["all", "tokens", "cookies", "data"].map(|group| format!("each_kind!({group}, "));
        ["fn ", "each_backend!("].into_iter().chain(groups.iter().map(String::as_str)).any(|start| {
            sources.contains(&format!("{start}s{number:02}_"))
                || sources.contains(&format!("{start}\n    s{number:02}_"))
        })
    };
    let missing: Vec<_> = DUE.iter().filter(|number| !has_test(**number)).collect();
    assert!(missing.is_empty(), "without a test: {missing:?}");
    assert!(!has_test(99));
}
