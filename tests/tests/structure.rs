//! What the README claims of the sources, compared with the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
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
    let source = source.split("[cfg(test)]").next().unwrap_or_default();
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

/// The requirements of `SECURITY.md` that nothing is built for yet. One that is built leaves this list.
const YET_TO_COME: &[u32] = &[39, 40, 41, 42];

/// The number of a requirement that an identifier begins with, as `s28_...` does.
fn requirement(identifier: &str) -> Option<u32> {
    let (number, _) = identifier.strip_prefix('s')?.split_once('_')?;
    (number.len() == 2).then(|| number.parse().ok()).flatten()
}

/// The names of the tests in a source that show a requirement: functions, and the names that macros make modules of, as in
/// `each_backend!(s28_..., ...)` and `each_kind!(group, s28_..., ...)`.
fn named_tests(source: &str) -> Vec<&str> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(found) = source[at..].find(is_part) {
        let start = at + found;
        let length = source[start..].find(|character: char| !is_part(character));
        at = length.map_or(source.len(), |length| start + length);
        let (before, name) = (source[..start].trim_end(), &source[start..at]);
        // What is in front of the group that a macro takes first, if there is one.
        let group =
            before.strip_suffix(',').map_or(before, |group| group.trim_end_matches(is_part).trim_end());
        let is_function = before.strip_suffix("fn").is_some_and(|before| !before.ends_with(is_part));
        if requirement(name).is_some() && (is_function || group.ends_with("!(")) {
            names.push(name);
        }
    }
    names
}

#[test]
fn the_names_of_tests_are_found_however_they_are_written() {
    let source = "
        fn s01_one() {}
        // s02_two and fn(s03_three)
        async fn s04_four() { s05_five(); other(s06_six); fns07_seven() }
        each_backend!(s08_eight, |app| async move {});
        each_backend!(
            s09_nine, |app| async move {}
        );
        each_kind!(
            tokens,
            s10_ten, |app| async move {});
        fn s1_short() {} fn s111_long() {} fn sxx_word() {}";
    assert_eq!(named_tests(source), ["s01_one", "s04_four", "s08_eight", "s09_nine", "s10_ten"]);
}

/// The tests of each requirement, with their files.
fn tests_by_requirement() -> BTreeMap<u32, BTreeMap<String, BTreeSet<String>>> {
    let mut tests = BTreeMap::<u32, BTreeMap<String, BTreeSet<String>>>::new();
    for folder in ["tests/src", "tests/tests", "users-runtime/src", "users-macros/src", "examples"] {
        for path in sources(&root().join(folder)) {
            let relative = path.strip_prefix(root()).expect("below the root").display().to_string();
            // The strings in this file are no tests.
            if relative.contains("/target/") || relative == file!() {
                continue;
            }
            for name in named_tests(&fs::read_to_string(&path).expect("a source")) {
                let number = requirement(name).expect("it has one");
                let names = tests.entry(number).or_default().entry(relative.clone()).or_default();
                names.insert(name.to_owned());
            }
        }
    }
    tests
}

#[test]
fn every_security_requirement_has_a_test_of_its_number_or_is_yet_to_come() {
    let tests = tests_by_requirement();
    let wrong: Vec<_> =
        (1..=60).filter(|number| tests.contains_key(number) == YET_TO_COME.contains(number)).collect();
    assert!(wrong.is_empty(), "without a test, or built and in YET_TO_COME all the same: {wrong:?}");
    assert!(tests.keys().all(|number| (1..=60).contains(number)), "{:?}", tests.keys());
    for (number, files) in tests {
        for (file, names) in files {
            for name in names {
                println!("S{number:02}  {file}  {name}");
            }
        }
    }
}

/// The files of a requirement's tests, as the table has them.
fn shown_by(files: Option<&BTreeMap<String, BTreeSet<String>>>) -> String {
    let Some(files) = files else { return "not built yet".to_owned() };
    let short = |file: &String| {
        let file = file.strip_prefix("tests/tests/").unwrap_or(file);
        format!("`{file}`")
    };
    files.keys().map(short).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_policy_names_the_tests_of_every_requirement() {
    const START: &str = "<!-- requirements: the last column is written by `UPDATE=1 cargo test -p users-tests --test structure` -->\n";
    const END: &str = "<!-- end of requirements -->";
    let tests = tests_by_requirement();
    let policy = read("SECURITY.md");
    let (before, rest) = policy.split_once(START).expect("the start of the table");
    let (table, after) = rest.split_once(END).expect("the end of the table");
    let mut numbers = Vec::new();
    let mut wanted = String::new();
    for line in table.lines() {
        match line.strip_prefix("| S").map(|row| row.split('|').map(str::trim).collect::<Vec<_>>()) {
            Some(cells) => {
                let number = cells[0].parse().expect("a number");
                numbers.push(number);
                let shown = shown_by(tests.get(&number));
                writeln!(wanted, "| S{number:02} | {} | {shown} |", cells[1]).expect("it is text");
            }
            None => writeln!(wanted, "{line}").expect("it is text"),
        }
    }
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>());
    if table != wanted && std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        fs::write(root().join("SECURITY.md"), format!("{before}{START}{wanted}{END}{after}"))
            .expect("it is written");
        return;
    }
    assert!(
        table == wanted,
        "SECURITY.md names other files; run this with UPDATE=1. It should say:\n{wanted}"
    );
}

/// The manifests of the workspace and of what is beside it.
fn manifests(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    entries
        .flat_map(|entry| {
            let (path, name) = (entry.path(), entry.file_name());
            let is_ours =
                name != "target" && name != "node_modules" && !name.to_string_lossy().starts_with('.');
            if is_ours && path.is_dir() {
                return manifests(&path);
            }
            Vec::from_iter((name == "Cargo.toml").then_some(path))
        })
        .collect()
}

/// The lines of a table of a manifest.
fn table<'m>(manifest: &'m str, name: &str) -> Vec<&'m str> {
    let mut lines = manifest.lines().skip_while(|line| *line != name).skip(1);
    std::iter::from_fn(|| lines.next().filter(|line| !line.starts_with('['))).collect()
}

#[test]
fn every_package_forbids_unsafe_code() {
    const FORBIDS: &str = "unsafe_code = \"forbid\"";
    let manifests = manifests(&root());
    assert!(manifests.len() >= 9, "{manifests:?}");
    for path in manifests {
        let manifest = fs::read_to_string(&path).expect("a manifest");
        let lints = if manifest.contains("[package]") {
            let inherits = table(&manifest, "[lints]").contains(&"workspace = true");
            inherits || table(&manifest, "[lints.rust]").contains(&FORBIDS)
        } else {
            table(&manifest, "[workspace.lints.rust]").contains(&FORBIDS)
        };
        assert!(lints, "{} does not forbid unsafe code", path.display());
    }
}
