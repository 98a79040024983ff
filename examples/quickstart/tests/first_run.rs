//! A new user's run: the program in an empty folder, and every line that it prints, in order.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the test cannot do without; a machine of a user's may lack it, one that checks changes may not.
fn missing() -> Option<&'static str> {
    if TcpStream::connect("127.0.0.1:3000").is_ok() {
        return Some("port 3000 is taken");
    }
    let curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status();
    curl.is_err().then_some("there is no curl")
}

fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        sleep(Duration::from_millis(20));
    }
}

fn output(folder: &Path) -> String {
    fs::read_to_string(folder.join("output")).unwrap_or_default()
}

#[test]
fn every_printed_line_does_what_it_says() {
    if let Some(missing) = missing() {
        assert!(std::env::var_os("REQUIRE_SERVICES").is_none(), "{missing}");
        println!("left out the run of the quickstart: {missing}");
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("first-run");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("an empty folder");
    let process = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .current_dir(&folder)
        .stdout(File::create(folder.join("output")).expect("a file for the output"))
        .spawn()
        .expect("the quickstart starts");
    let _server = Server(process);
    wait_for("the server", || TcpStream::connect("127.0.0.1:3000").ok());

    let printed =
        wait_for("the guide", || output(&folder).split_once("try it:\n").map(|(_, lines)| lines.to_owned()));
    let lines: Vec<_> = printed.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let readme =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).expect("the README");
    assert!(
        readme.contains(&format!("```sh\n{}\n```", lines.join("\n"))),
        "the README shows other lines:\n{printed}"
    );

    // register, verify, log in, read, change the password, forget it, reset it, log in, log out
    let wanted = ["201", "201", "201", "200", "200", "201", "201", "201", "201"];
    assert_eq!(lines.len(), wanted.len());
    let mut tokens_used = 0;
    for (line, wanted) in lines.iter().zip(wanted) {
        let mut line = (*line).to_owned();
        if line.contains("<token from the mail>") {
            let token = wait_for("the mail", || {
                output(&folder)
                    .lines()
                    .filter_map(|line| line.strip_prefix("token="))
                    .nth(tokens_used)
                    .map(str::to_owned)
            });
            tokens_used += 1;
            line = line.replace("<token from the mail>", &token);
        }
        let answer = Command::new("bash").args(["-c", &line]).current_dir(&folder).output().expect("a shell");
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        let status = answer.split_whitespace().nth(1).unwrap_or_default();
        assert_eq!(status, wanted, "{line}\n{answer}");
    }
    let health = Command::new("curl").args(["-s", "http://127.0.0.1:3000/health"]).output().expect("curl");
    assert_eq!(health.stdout, b"ok\n");
}
