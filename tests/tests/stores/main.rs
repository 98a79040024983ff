//! Stores: what each of them promises, and what becomes of it when processes, servers and disks fail.

mod conformance;
mod failover;
mod files;
mod outages;
mod redis_server;
mod support;
mod tower;
