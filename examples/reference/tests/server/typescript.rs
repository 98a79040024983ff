//! The whole life of a user through the client in TypeScript, which is checked and run under Node.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    Folder,
    clients::{ADMIN, settings},
    start_with,
};

const COMPILER: &str = "node_modules/typescript/bin/tsc";

/// Everything that is stricter than `--strict`, and what Node and bundlers ask of a file that is compiled by itself.
const STRICT: [&str; 9] = [
    "--strict",
    "--noUncheckedIndexedAccess",
    "--exactOptionalPropertyTypes",
    "--noImplicitOverride",
    "--noPropertyAccessFromIndexSignature",
    "--noUnusedLocals",
    "--isolatedModules",
    "--verbatimModuleSyntax",
    "--erasableSyntaxOnly",
];

/// Runs a command to its end.
fn run(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let output = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{command:?}\n{output}\n{}", String::from_utf8_lossy(&done.stderr));
    output
}

/// What the test cannot do without; a machine of a user's may lack it, one that checks changes may not.
fn missing() -> Option<&'static str> {
    let lacks = |program: &str| {
        let started = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        !started.is_ok_and(|status| status.success())
    };
    if lacks("node") {
        return Some("there is no node");
    }
    lacks("npm").then_some("there is no npm")
}

/// A folder with the compiler, which is fetched once.
fn project() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/typescript");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("typescript");
    fs::create_dir_all(&folder).expect("a folder");
    let copy = |name: &str| {
        let (from, to) = (sources.join(name), folder.join(name));
        let text = fs::read(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let is_new = fs::read(&to).is_ok_and(|there| there == text);
        fs::write(&to, text).expect("a copy");
        is_new
    };
    let same = copy("package.json") & copy("package-lock.json");
    copy("life.ts");
    if !same || !folder.join(COMPILER).exists() {
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&folder));
    }
    folder
}

/// The reference application's own command.
fn reference(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference"));
    command.env("SECRET_KEY", "an unchanging key of the tests: 0123456789").env("RUST_LOG", "error");
    command.current_dir(folder);
    command
}

#[tokio::test]
async fn the_typescript_client_runs_the_whole_life_of_a_user() {
    if let Some(missing) = missing() {
        assert!(env::var_os("REQUIRE_SERVICES").is_none(), "{missing}");
        println!("left out the client in TypeScript: {missing}");
        return;
    }
    let project = project();
    let compiled = project.join("compiled");
    let _ = fs::remove_dir_all(&compiled);
    run(reference(&project).args(["generate-client", "--typescript", "--output", "client.ts"]));
    assert!(!project.join("reference.db").exists(), "a command that needs no database made one");

    let compile = |arguments: &[&str]| {
        let mut command = Command::new("node");
        command.current_dir(&project).arg(COMPILER).args(STRICT).args(["--pretty", "false"]).args(arguments);
        run(&mut command);
    };
    // By itself as a browser's program has it, and under Node without a browser's types.
    compile(&[
        "--noEmit",
        "--target",
        "es2022",
        "--module",
        "esnext",
        "--lib",
        "es2022,dom,dom.iterable",
        "--typeRoots",
        "none",
        "client.ts",
    ]);
    for (name, document) in [("readme.ts", "README.md"), ("guide.ts", "users-runtime/src/guide/openapi.md")] {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
        let text =
            fs::read_to_string(&document).unwrap_or_else(|error| panic!("{}: {error}", document.display()));
        let (_, block) = text.split_once("```ts\n").expect("a block of TypeScript");
        let (block, _) = block.split_once("\n```").expect("the block ends");
        fs::write(project.join(name), block).expect("a file");
        compile(&[
            "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2022", "--types", "node",
            name,
        ]);
    }
    compile(&[
        "--outDir", "compiled", "--target", "es2022", "--module", "nodenext", "--lib", "es2022", "--types",
        "node", "life.ts",
    ]);

    let folder = Folder::new("typescript");
    let server = start_with(&folder, &super::client(), &settings("jwt_cookie")).await;
    let (origin, mails) = (server.origin.clone(), folder.mail());
    let life = tokio::task::spawn_blocking(move || {
        let mut command = Command::new("node");
        command.current_dir(&project).arg("compiled/life.js").env("BASE_URL", origin).env("MAIL", mails);
        run(command.env("ADMIN_EMAIL", ADMIN).env("ADMIN_PASSWORD", super::PASSWORD))
    });
    assert_eq!(life.await.expect("it ran"), "the whole life of a user\n");
}

#[test]
fn the_document_is_what_the_client_is_written_from() {
    let folder = Folder::new("document");
    let document = folder.0.join("document.json");
    let document = document.to_str().expect("a path in UTF-8");
    assert_eq!(
        run(reference(&folder.0).args(["openapi", "--output", document])),
        format!("wrote {document}\n")
    );
    let printed = run(reference(&folder.0).args(["openapi", "--json"]));
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a document");
    let written = fs::read_to_string(document).expect("it is written");
    assert_eq!(read(&printed), read(&written));

    let client = run(reference(&folder.0).args(["generate-client", "--typescript"]));
    assert!(
        client.contains("export class Client {") && client.contains("  async updateAccount("),
        "{client}"
    );
    // A document from elsewhere needs no settings.
    let from = |document: &str| {
        let mut command = reference(&folder.0);
        command.env_remove("SECRET_KEY").args([
            "generate-client",
            "--typescript",
            "--json",
            "--document",
            document,
        ]);
        command
    };
    assert_eq!(read(&run(&mut from(document)))["typescript"], client.as_str());
    for (text, reason) in [("{}", "it has no `paths`"), ("<html>", "expected value")] {
        fs::write(document, text).expect("it is written");
        let failed = from(document).output().expect("it runs");
        let error = read(&String::from_utf8_lossy(&failed.stderr));
        assert_eq!((failed.status.code(), &error["error"]["code"]), (Some(1), &"file".into()), "{error}");
        assert!(error["error"]["detail"].as_str().expect("a text").contains(reason), "{error}");
    }
    let usage = reference(&folder.0).arg("generate-client").output().expect("it runs");
    assert_eq!(usage.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&usage.stderr).contains("--typescript"));
}
