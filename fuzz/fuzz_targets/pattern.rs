#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| users_runtime::fuzzing::pattern(bytes));
