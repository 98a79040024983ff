//! What a program uses, as Linux counts it: the process that was started and, of a Python peer, its workers.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{Failure, record::Figures};

/// The unit of processor time in `/proc`, which is the same on every Linux: a hundredth of a second, in microseconds.
const TICK: f64 = 10_000.0;

/// Processor time of a program and of PostgreSQL, in ticks since each began.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    program: u64,
    postgres: u64,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self, Failure> {
        let mut program = 0;
        for pid in family(pid)? {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let [user, system, ..] = ticks(&stat).ok_or("/proc/PID/stat has another form")?;
            program += user + system;
        }
        Ok(Self { program, postgres: postgres()? })
    }

    /// Adds what was used since `before`, in microseconds a request.
    pub fn since(self, before: Self, requests: f64, figures: &mut Figures) {
        let mut per_request = |name, after: u64, before: u64| {
            let ticks = u32::try_from(after.saturating_sub(before)).unwrap_or(u32::MAX);
            figures.insert(name, f64::from(ticks) * TICK / requests);
        };
        per_request("cpu_us", self.program, before.program);
        per_request("postgres_cpu_us", self.postgres, before.postgres);
    }
}

/// The time of all processes of PostgreSQL on this machine: one that ended is counted by the one that started it.
fn postgres() -> Result<u64, Failure> {
    let mut sum = 0;
    for entry in fs::read_dir("/proc")? {
        // Most entries are no process, and a process may end in between.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        if stat.contains("(postgres)") {
            sum += ticks(&stat).map_or(0, |ticks| ticks.iter().sum());
        }
    }
    Ok(sum)
}

/// The time in user mode and in the kernel, of the process and then of its children that ended.
fn ticks(stat: &str) -> Option<[u64; 4]> {
    // The name may hold spaces and brackets.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<u64> =
        fields.split(' ').skip(11).take(4).map(str::parse).collect::<Result<_, _>>().ok()?;
    fields.try_into().ok()
}

/// A process and those that it started.
pub fn family(pid: u32) -> Result<Vec<u32>, Failure> {
    let mut pids = vec![pid];
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    for child in children.split_whitespace() {
        pids.extend(family(child.parse()?)?);
    }
    Ok(pids)
}

/// Makes the peak what is in use now.
pub fn reset_peak(pid: u32) -> Result<(), Failure> {
    for pid in family(pid)? {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")?;
    }
    Ok(())
}

/// Memory in MiB: now, and at the most since [`reset_peak`].
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub now: f64,
    pub peak: f64,
}

impl Memory {
    pub fn of(pid: u32) -> Result<Self, Failure> {
        let mut memory = Self { now: 0.0, peak: 0.0 };
        for pid in family(pid)? {
            let lines = kibibytes(Path::new(&format!("/proc/{pid}/status")))?;
            let mebibytes =
                |name: &str| lines.get(name).map(|kib| kib / 1_024.0).ok_or("a process has ended");
            memory.now += mebibytes("VmRSS")?;
            memory.peak += mebibytes("VmHWM")?;
        }
        Ok(memory)
    }
}

/// The lines of a file in `/proc` that are numbers of KiB.
pub fn kibibytes(path: &Path) -> Result<BTreeMap<String, f64>, Failure> {
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().strip_suffix(" kB")?.parse().ok()?))
    });
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 51 52 53 54 20 0 1 0";
        assert_eq!(ticks(stat), Some([51, 52, 53, 54]));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        let memory = Memory::of(std::process::id()).expect("this is Linux");
        assert!(0.0 < memory.now && memory.now <= memory.peak, "{memory:?}");
    }
}
