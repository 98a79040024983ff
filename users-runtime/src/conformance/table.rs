//! Every requirement in one list: from it come the names, the tests and the macro that gives them to an application.

use super::{Finding, chapters, site::Site};
use crate::future::BoxFuture;

/// A requirement, one of [`requirements`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requirement {
    name: &'static str,
    chapter: Chapter,
}

impl Requirement {
    /// The name of its test, such as `s19_v7_2_4_a_login_gives_a_new_session_and_ends_the_old_one`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What it is about.
    #[must_use]
    pub fn chapter(self) -> Chapter {
        self.chapter
    }

    /// Its number in the library's own list, such as `S19`.
    #[must_use]
    pub fn number(self) -> String {
        self.name.split('_').next().unwrap_or_default().to_uppercase()
    }

    /// Its number in OWASP ASVS 5.0, such as `7.2.4`, where that has one.
    #[must_use]
    pub fn asvs(self) -> Option<String> {
        let mut words = self.name.split('_').skip(1);
        let mut parts = vec![words.next()?.strip_prefix('v')?];
        parts.extend(words.take_while(|word| word.bytes().all(|byte| byte.is_ascii_digit())).take(2));
        (parts.len() == 3 && parts[0].bytes().all(|byte| byte.is_ascii_digit())).then(|| parts.join("."))
    }
}

/// The test of a requirement.
pub(super) struct Test {
    pub(super) requirement: Requirement,
    pub(super) run: fn(Site) -> BoxFuture<'static, Finding>,
}

macro_rules! requirements {
    ($dollar:tt $( $(#[$doc:meta])* $chapter:ident $variant:ident { $( $name:ident )* } )*) => {
        /// What a requirement is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Chapter {
            $( $(#[$doc])* $variant, )*
        }

        impl Chapter {
            /// Every chapter.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];
        }

        /// Every requirement under its name.
        pub mod requirements {
            #![allow(non_upper_case_globals, reason = "a requirement has the name of its test")]

            use super::{Chapter, Requirement};

            /// All of them, in the order of the chapters.
            pub const ALL: &[Requirement] = &[$( $( $name ),* ),*];

            $( $(
                #[doc = concat!("`", stringify!($name), "`.")]
                pub const $name: Requirement =
                    Requirement { name: stringify!($name), chapter: Chapter::$variant };
            )* )*
        }

        /// The tests of an application.
        pub(super) fn tests() -> Vec<Test> {
            vec![$( $(
                Test {
                    requirement: requirements::$name,
                    run: |site| Box::pin(chapters::$chapter::$name(site)),
                }
            ),* ),*]
        }

        /// A test for each requirement, of the application that an expression of the type
        /// [`Suite`](crate::conformance::Suite) describes. See [`conformance`](mod@crate::conformance).
        #[macro_export]
        macro_rules! conformance {
            ($dollar suite:expr) => {
                $( $(
                    #[test]
                    fn $name() {
                        $dollar crate::conformance::check(
                            &$dollar suite,
                            $dollar crate::conformance::requirements::$name,
                        );
                    }
                )* )*
            };
        }
    };
}

requirements! { $
    /// What passwords may be, and what is asked before one changes.
    passwords Passwords {
        s01_v6_2_1_a_password_below_the_minimum_is_refused_at_registration
        s01_v6_2_1_a_password_below_the_minimum_is_refused_at_a_change
        s01_v6_2_1_a_password_below_the_minimum_is_refused_at_a_reset
        s01_v6_2_1_the_minimum_is_eight_characters_or_more
        s01_v6_2_1_a_password_of_the_minimum_is_accepted
        s02_v6_2_9_a_password_of_64_characters_or_more_is_accepted
        s02_v6_2_9_a_password_of_257_characters_is_refused_and_never_hashed
        s03_v6_2_5_no_kind_of_character_is_asked_for
        s03_v6_2_8_a_password_is_not_cut
        s03_v6_2_8_a_password_keeps_its_case_and_its_spaces
        s04_v6_2_4_a_common_password_is_refused_at_registration
        s04_v6_2_4_a_common_password_is_refused_at_a_change
        s04_v6_2_4_a_common_password_is_refused_at_a_reset
        s05_v6_1_2_a_password_with_the_identifier_in_it_is_refused
        s05_v6_1_2_a_password_with_the_name_of_the_application_in_it_is_refused
        s07_v6_2_2_users_change_their_password
        s07_v6_2_3_a_new_password_needs_the_current_one
        s07_v7_5_1_a_new_identifier_needs_the_current_password
        s08_v11_4_2_passwords_are_stored_as_argon2id_with_salts_of_their_own
        s60_v6_3_7_a_changed_password_is_told_by_mail
    }
    /// Who learns which accounts there are.
    enumeration Enumeration {
        s10_v6_3_8_a_login_answers_an_unknown_account_like_a_wrong_password
        s10_v6_3_8_a_login_answers_a_deactivated_account_like_an_unknown_one
        s10_v6_3_8_a_login_tells_of_a_missing_verification_to_whoever_has_the_password
        s10_v6_3_8_a_request_for_tokens_answers_an_unknown_account_like_a_wrong_password
        s10_v6_3_8_a_forgotten_password_is_answered_alike_without_an_account
        s10_v6_3_8_a_verification_is_sent_again_alike_without_an_account
        s10_v6_3_8_no_mail_goes_to_an_address_without_an_account
        s11_v6_3_8_a_login_costs_the_same_work_without_an_account
    }
    /// How often somebody may guess, and how much mail they may cause.
    throttles Throttles {
        s13_v6_3_1_wrong_passwords_lock_an_account_for_a_while
        s13_v6_3_1_the_right_password_does_not_open_a_locked_account
        s13_v6_3_1_a_lock_leaves_whoever_is_logged_in_alone
        s13_v6_3_1_a_lock_leaves_other_accounts_alone
        s13_v6_3_1_the_current_password_is_guessed_no_more_often_than_at_the_login
        s14_v6_3_8_an_unknown_account_is_locked_like_a_known_one
        s14_v6_3_1_no_other_spelling_of_an_identifier_has_guesses_of_its_own
        s14_v15_4_2_guesses_at_once_pass_no_limit
        s15_v6_3_1_a_client_that_guesses_at_many_accounts_is_stopped
        s15_v6_3_1_a_login_that_succeeds_gives_a_client_no_more_guesses
        s15_v15_3_4_no_header_makes_somebody_another_client
        s17_v2_4_1_of_many_mails_that_are_asked_for_at_once_one_leaves
    }
    /// Logins and how they end.
    sessions Sessions {
        s18_v7_2_3_credentials_are_long_and_never_the_same
        s19_v7_2_4_a_login_gives_a_new_session_and_ends_the_old_one
        s19_v7_2_4_an_identifier_of_the_clients_own_is_never_adopted
        s21_v7_4_1_a_logout_ends_the_session_on_the_server
        s21_v7_4_1_a_logout_clears_the_cookies
        s21_v7_4_1_a_logout_ends_the_refresh_token_too
        s22_v7_4_3_a_password_change_ends_every_other_session
        s22_v7_4_3_a_password_change_gives_a_new_credential_and_ends_the_old_one
        s22_v7_4_3_a_reset_ends_every_session
        s23_v7_4_2_a_deactivated_user_is_out_at_the_next_request
        s23_v7_4_2_a_deactivated_user_does_not_log_in
        s23_v7_4_2_an_administrator_deactivates_a_user_at_once
        s23_v7_4_2_a_deleted_user_is_out_at_the_next_request
        s23_an_account_without_a_proven_mailbox_does_not_log_in
        s24_v7_5_2_users_see_their_own_sessions_alone
        s24_v7_5_2_users_end_one_of_their_sessions
        s24_v7_5_2_users_end_all_their_sessions
        s24_v8_2_2_nobody_ends_a_session_of_somebody_else
        s24_v15_3_1_no_list_of_sessions_shows_a_secret
        s24_v7_4_5_an_administrator_ends_the_sessions_of_a_user
        s25_v8_3_2_a_role_that_is_taken_away_is_gone_at_the_next_request
    }
    /// What browsers are told of cookies.
    cookies Cookies {
        s26_v3_3_1_cookies_are_for_https_alone
        s26_v3_3_2_cookies_stay_on_the_site
        s26_v3_3_3_cookies_are_of_this_host_alone
        s26_v3_3_4_cookies_are_out_of_reach_of_scripts
        s26_v3_3_4_no_token_in_a_cookie_is_in_a_body_too
    }
    /// Signed tokens, refresh tokens, and bytes that are neither.
    tokens Tokens {
        s27_v9_1_1_a_token_with_another_payload_is_refused
        s27_v9_1_1_a_token_with_another_signature_is_refused
        s27_v9_1_1_a_token_with_an_unknown_critical_header_is_refused
        s27_v9_1_2_a_token_without_a_signature_is_refused
        s27_v9_1_2_a_token_of_another_algorithm_is_refused
        s27_v9_1_3_a_token_that_brings_its_key_is_refused
        s28_v9_2_1_a_token_says_when_it_ends
        s28_v9_2_2_a_token_says_what_it_is_for
        s28_v9_2_2_the_token_of_a_mail_is_no_credential
        s28_v9_2_2_a_credential_is_no_token_of_a_mail
        s29_v10_4_5_a_refresh_token_is_good_once
        s29_v10_4_5_a_refresh_token_that_comes_twice_ends_its_session
        s29_v10_4_5_of_twenty_uses_of_a_refresh_token_at_once_one_succeeds
        s31_v16_5_3_bytes_in_authorization_that_are_no_credential_are_401
        s31_v16_5_3_bytes_in_a_cookie_that_are_no_credential_are_401
    }
    /// Tokens that come by mail.
    links Links {
        s32_v6_5_1_a_verification_is_good_once
        s32_v6_5_1_a_reset_is_good_once
        s32_v15_4_2_of_twenty_verifications_at_once_one_succeeds
        s32_v15_4_2_of_twenty_resets_at_once_one_succeeds
        s32_texts_that_are_no_token_are_400
        s32_a_changed_password_ends_the_mails_before_it
        s33_a_newer_reset_mail_ends_the_older_one
        s33_a_newer_verification_mail_ends_the_older_one
        s34_v3_5_3_get_and_head_use_no_verification_up
        s34_v3_5_3_get_and_head_use_no_reset_up
        s28_v9_2_2_a_verification_resets_no_password
        s28_v9_2_2_a_reset_verifies_nobody
        s35_the_host_of_a_link_comes_from_the_settings
        s35_v14_2_1_a_link_carries_its_token_in_the_fragment
        s36_v6_4_3_a_reset_does_not_log_in
        s37_a_new_address_counts_when_it_is_confirmed_and_the_old_one_until_then
        s37_v6_3_7_the_old_address_is_told_of_the_new_one
    }
    /// Where requests come from, and what becomes of the answers.
    origins Origins {
        s49_v3_5_1_every_unsafe_route_refuses_pages_of_other_origins
        s49_v3_5_1_no_spelling_of_another_origin_passes
        s49_v3_5_1_fetch_metadata_of_another_site_is_refused
        s49_v3_5_1_a_login_from_a_page_of_another_origin_is_refused
        s49_v4_4_2_a_websocket_from_a_page_of_another_origin_is_refused
        s49_v3_4_2_no_page_of_another_origin_reads_answers
        s50_v14_3_2_no_generated_route_is_kept_in_caches
        s50_v3_4_4_no_generated_route_lets_browsers_guess_at_its_type
    }
    /// What bodies may hold.
    bodies Bodies {
        s51_v2_2_1_a_body_over_the_limit_is_413
        s51_v2_2_1_unknown_keys_are_refused
        s51_v2_2_1_repeated_keys_are_refused
        s51_v2_2_1_nul_in_a_text_is_refused
        s51_v2_2_1_bytes_that_are_no_utf8_are_refused
        s51_v2_2_1_deep_nesting_is_refused
        s51_v2_2_1_what_is_not_json_is_refused
        s51_v15_3_5_values_of_another_type_are_refused
        s51_v4_1_1_a_body_of_another_media_type_is_refused
        s52_v15_3_3_a_registration_writes_no_key_flag_or_role
        s52_v15_3_3_a_change_of_the_own_account_writes_no_key_flag_or_role
        s52_v15_3_1_no_response_shows_a_password_or_its_hash
    }
    /// Who may do what.
    access Access {
        s53_v8_2_1_every_protected_route_is_closed_to_strangers
        s53_v8_2_1_every_guarded_route_is_closed_to_users
        s53_v8_2_1_a_credential_that_is_no_good_opens_no_route
        s53_v8_2_1_routes_of_the_applications_own_are_closed_to_strangers
        s53_v8_2_2_users_reach_no_other_users_account
        s53_v4_1_4_head_and_options_reveal_nothing
        s53_v4_1_4_a_method_that_a_route_does_not_know_is_405
        s53_a_path_that_does_not_exist_is_404
        s54_v8_3_1_no_spelling_of_a_path_opens_a_protected_route
        s55_v1_2_4_lists_are_sorted_by_no_secret
        s55_v1_2_4_lists_are_filtered_by_no_secret
        s55_v1_2_4_sql_in_a_search_finds_nothing
        s56_v6_3_2_no_well_known_account_logs_in
        s56_the_last_administrator_is_not_deleted
        s56_the_last_administrator_is_not_deactivated
        s56_the_last_administrator_is_not_demoted
    }
    /// What people may be called.
    identifiers Identifiers {
        s57_an_identifier_in_another_case_is_the_same
        s57_an_identifier_in_another_normal_form_is_the_same
        s57_look_alikes_are_refused
        s57_separators_and_line_breaks_are_refused
        s57_v15_4_2_of_twenty_registrations_at_once_one_succeeds
    }
    /// What is recorded of an account, and who reads it.
    events Events {
        s59_v16_3_1_logins_are_recorded_whether_or_not_they_succeed
        s59_v16_3_1_a_changed_password_is_recorded
        s59_v16_2_5_no_event_shows_a_password
        s59_v8_2_2_users_read_of_their_own_account_alone
    }
    /// What an application says when something goes wrong.
    failures Failures {
        s58_v16_5_1_every_error_is_a_problem_document_with_a_code
        s58_v16_5_1_no_error_shows_sql_a_path_or_a_trace
        s58_v16_5_1_no_error_repeats_a_password
        s58_v16_5_3_without_a_database_nobody_gets_in
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_eighty_and_each_says_its_numbers() {
        let names: BTreeSet<_> = requirements::ALL.iter().map(|requirement| requirement.name()).collect();
        assert!(names.len() >= 80 && names.len() == requirements::ALL.len(), "{}", names.len());
        for requirement in requirements::ALL {
            let number = requirement.number();
            assert!(number.len() == 3 && number[1..].parse::<u8>().is_ok(), "{}", requirement.name());
        }
        let login = requirements::s19_v7_2_4_a_login_gives_a_new_session_and_ends_the_old_one;
        assert_eq!((login.number().as_str(), login.asvs().as_deref()), ("S19", Some("7.2.4")));
        assert_eq!(
            requirements::s02_v6_2_9_a_password_of_257_characters_is_refused_and_never_hashed
                .asvs()
                .as_deref(),
            Some("6.2.9")
        );
        assert_eq!(requirements::s53_a_path_that_does_not_exist_is_404.asvs(), None);
        assert_eq!(requirements::s57_look_alikes_are_refused.asvs(), None);
    }
}
