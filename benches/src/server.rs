//! A program under test as a process of its own, which ends with the value that stands for it.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Failure,
    client::{Client, Request},
    usage,
};

/// How long a program may take to answer, Python with its imports among them.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running program.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to its first answer.
    pub started_in: Duration,
}

impl Server {
    /// Starts it; what it says goes to the log.
    pub fn start(mut command: Command, address: SocketAddr, log: &Path) -> Result<Self, Failure> {
        let output = File::create(log)?;
        command.env("ADDR", address.to_string()).stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let start = Instant::now();
        let child =
            command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        while !server.answers() {
            let ended = server.child.try_wait()?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(log)?;
                return Err(format!("{} does not answer:\n{log}", command.get_program().display()).into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        server.started_in = start.elapsed();
        Ok(server)
    }

    /// Any answer counts: nobody is logged in.
    fn answers(&self) -> bool {
        self.client().and_then(|mut client| client.send(&Request::get("/users/me"))).is_ok()
    }

    pub fn client(&self) -> Result<Client, Failure> {
        Client::connect(self.address)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a Python peer the workers too. What has ended by itself needs neither.
        let workers = usage::family(self.pid()).unwrap_or_default();
        let workers = workers.iter().map(u32::to_string);
        let _ = Command::new("kill").arg("-KILL").args(workers).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}
