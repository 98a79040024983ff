//! What the macros say about mistakes, word by word, and what has to compile.

#[test]
fn mistakes_are_reported_at_the_users_tokens_and_what_is_right_compiles() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/fail/*/*.rs");
    cases.pass("ui/pass/*.rs");
}
