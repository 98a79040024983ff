//! The scripts that write in Redis, each on one key.

use std::sync::LazyLock;

use ::redis::Pipeline;

/// The latest end that is told to Redis, in milliseconds since 1970: the year 9999.
pub(super) const LATEST: i64 = 253_402_300_799_999;

/// A script, and the hash by which a server that has run it knows it.
struct Source {
    code: &'static str,
    hash: LazyLock<String>,
}

macro_rules! source {
    ($code:literal) => {
        Source { code: $code, hash: LazyLock::new(|| ::redis::Script::new($code).get_hash().to_owned()) }
    };
}

/// Writes an entry if what is there is as expected, and says what was there; nil when it is not.
///
/// An entry begins with the number of the write, a byte, its revision and its end, of eight bytes each. What is there by
/// the same write was written when it was sent before. It is written again, so that the replicas that are waited for are
/// those that have it.
static PUT: Source = source!(
    r"
local there = redis.call('GET', KEYS[1])
if there and struct.unpack('>I8', there, 18) > tonumber(ARGV[4]) then
    local again = string.sub(there, 1, 8) == string.sub(ARGV[2], 1, 8)
    if not again and string.sub(there, 10, 17) ~= ARGV[1] then return false end
elseif ARGV[1] ~= '' then
    return false
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return there or ''"
);

/// Removes an entry, and says what was there; nil when nothing was.
///
/// What is not there is written first if replicas are waited for: it may have been removed by a request that did not
/// wait to the end, and what is waited for is what the connection has written.
static REMOVE: Source = source!(
    r"
local there = redis.call('GET', KEYS[1])
if not there and ARGV[1] == '1' then redis.call('SET', KEYS[1], '') end
redis.call('DEL', KEYS[1])
return there"
);

/// Notes a write at an owner, and forgets those that ended longer ago than the clocks of two servers differ.
static NOTE: Source = source!(
    r"
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 - 60000)
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2] + 60000))
return 1"
);

/// A script with its arguments.
pub(super) struct Script {
    source: &'static Source,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    /// Writes an entry that ends at `end` if the one that is there has this revision; if none is there, without.
    pub(super) fn put(revision: Option<u64>, bytes: Vec<u8>, end: i64, now: i64) -> Self {
        let revision = revision.map_or_else(Vec::new, |revision| revision.to_be_bytes().to_vec());
        Self { source: &PUT, arguments: vec![revision, bytes, text(end), text(now)] }
    }

    /// Removes an entry, for replicas to wait for or for none.
    pub(super) fn remove(always_writes: bool) -> Self {
        Self { source: &REMOVE, arguments: vec![text(i64::from(always_writes))] }
    }

    /// Notes a write that ends at `end`.
    pub(super) fn note(end: i64, member: &str) -> Self {
        Self { source: &NOTE, arguments: vec![text(end), member.as_bytes().to_vec()] }
    }

    /// The command for a server that knows the script.
    pub(super) fn by_hash(&self, key: &str) -> Pipeline {
        self.command("EVALSHA", &self.source.hash, key)
    }

    /// The command for a server that does not, and does then.
    pub(super) fn by_source(&self, key: &str) -> Pipeline {
        self.command("EVAL", self.source.code, key)
    }

    fn command(&self, name: &str, script: &str, key: &str) -> Pipeline {
        let mut pipeline = Pipeline::new();
        let command = pipeline.cmd(name).arg(script).arg(1).arg(key);
        for argument in &self.arguments {
            command.arg(argument);
        }
        pipeline
    }
}

fn text(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}
