//! The commands of an application, run as its program is run.

mod accounts;
mod import;
mod migrate;
mod program;
mod resume;

use program::{Program, Ran};
