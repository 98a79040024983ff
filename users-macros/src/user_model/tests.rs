//! Grammar, messages and expansions of `#[derive(UserModel)]`.

mod lists;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, parse_quote};

use super::*;
use crate::record::dialect::SQLITE;

fn pretty(tokens: impl ToTokens) -> String {
    prettyplease::unparse(&parse_quote!(#tokens))
}

fn expanded(input: &DeriveInput) -> TokenStream {
    expand_for(input, &[SQLITE], false)
}

fn messages(input: &DeriveInput) -> Vec<String> {
    match understand(input) {
        Ok(_) => Vec::new(),
        Err(error) => report::messages(error).into_iter().map(|(_, text)| text).collect(),
    }
}

/// The messages for a user with `fields` beside those that are required.
fn field_messages(fields: &TokenStream) -> Vec<String> {
    messages(&parse_quote! {
        struct User {
            #[user(id)] id: Uuid,
            #[user(identifier)] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
            #fields
        }
    })
}

#[track_caller]
fn assert_messages(cases: &[(TokenStream, &str)], of: fn(&TokenStream) -> Vec<String>) {
    for (input, message) in cases {
        assert_eq!(of(input), [*message], "{input}");
    }
}

#[test]
fn a_user_with_an_email_address() {
    let input: DeriveInput = parse_quote! {
        #[user(table = "users")]
        pub struct User {
            #[user(id)]
            pub id: Uuid,
            #[user(identifier)]
            pub email: String,
            #[user(password_hash)]
            password_hash: PasswordHash,
            #[user(active)]
            pub is_active: bool,
            #[user(verified)]
            pub is_verified: bool,
            /// Shown to others.
            #[user(validate = length(2, 40))]
            pub display_name: Option<String>,
            #[user(exclude(register, update))]
            pub login_count: i64,
        }
    };
    insta::assert_snapshot!(pretty(expanded(&input)));
}

#[test]
fn a_user_with_a_name_and_columns_of_its_own() {
    let input: DeriveInput = parse_quote! {
        #[user(table = "member accounts", crate = ::renamed::users)]
        pub(crate) struct Account {
            #[user(id, column = "pk")]
            pub key: i64,
            #[user(identifier = username, canonical = "name_lower", validate = length(3, 20))]
            pub name: String,
            #[user(password_hash)]
            #[sqlx(rename = "pwd", default)]
            hash: PasswordHash,
            #[user(mailbox)]
            pub mail: Option<String>,
            #[user(default = "plain", sql_type = "VARCHAR(20)")]
            pub r#type: String,
            #[user(validate = range(-1, MOST), validate = custom(crate::rules::even), default = 18)]
            pub age: i64,
            #[user(read_only, default = now())]
            pub joined: Timestamp,
            #[user(exclude(read, admin_update))]
            pub note: Option<String>,
        }
    };
    insta::assert_snapshot!(pretty(expanded(&input)));
}

#[test]
fn a_model_that_nobody_can_change() {
    let input: DeriveInput = parse_quote! {
        struct User {
            #[user(id)] id: Uuid,
            #[user(identifier, exclude(update, admin_update))] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
            #[user(active, exclude(read))] is_active: bool,
            #[user(read_only)] score: i64,
        }
    };
    let model = understand(&input).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(model.record.table, "users");
    assert_eq!(SQLITE.update(model.updatable()), None);
    let expansion = pretty(expanded(&input));
    assert!(expansion.contains("fn changes_own_fields(&self) -> ::core::primitive::bool {\n        false\n"));
    assert!(!expansion.contains("HasVerified"), "there is no such field");
}

#[test]
fn a_broken_model_leaves_its_names_behind() {
    let broken: DeriveInput = parse_quote! { pub struct User { #[user(id)] id: Uuid } };
    let expansion = pretty(expanded(&broken));
    for suffix in ["Read", "Registration", "Update", "AdminUpdate", "Filter", "Import"] {
        let name = format!("User{suffix}");
        assert!(expansion.contains(&format!("pub struct {name} {{}}")), "{name}");
    }
    assert!(expansion.contains("impl ::users_runtime::UserModel for User"));
    assert!(expansion.contains("type Id = Uuid;"));
    assert_eq!(expansion.matches("compile_error").count(), 2);

    let wrong: DeriveInput = parse_quote! { struct User { #[user(id)] id: i32 } };
    assert!(
        pretty(expanded(&wrong)).contains("type Id = ::core::primitive::i64;"),
        "one message about the id is enough"
    );
    let generic: DeriveInput = parse_quote! { struct User<T> { id: T } };
    assert!(!pretty(expanded(&generic)).contains("UserModel for"), "no trait can be implemented for it");
}

#[test]
fn a_table_is_named_like_several_of_the_struct() {
    for (name, table) in [
        ("User", "users"),
        ("UserAccount", "user_accounts"),
        ("Category", "categories"),
        ("Boss", "bosses"),
        ("Key", "keys"),
        ("APIUser", "apiusers"),
    ] {
        let name = quote::format_ident!("{name}");
        let input = parse_quote! {
            struct #name {
                #[user(id)] id: Uuid,
                #[user(identifier)] email: String,
                #[user(password_hash)] password_hash: PasswordHash,
            }
        };
        let model = understand(&input).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(model.record.table, table);
    }
}

#[test]
fn only_a_struct_with_named_fields_is_a_user() {
    let cases = [
        (
            quote!(
                enum User {
                    A,
                }
            ),
            "a user cannot be an enum; write `struct User { ... }` with named fields",
        ),
        (
            quote!(
                struct User(Uuid);
            ),
            "a user cannot be a tuple struct; write `struct User { ... }` with named fields",
        ),
        (
            quote!(
                struct User;
            ),
            "a user cannot be a struct without fields; write `struct User { ... }` with named fields",
        ),
        (
            quote!(union User { a: u8 }),
            "a user cannot be a union; write `struct User { ... }` with named fields",
        ),
        (
            quote!(
                struct User<T> {
                    a: T,
                }
            ),
            "`User` cannot be generic; write a struct without parameters",
        ),
        (
            quote!(
                struct User<'a> {
                    a: &'a str,
                }
            ),
            "`User` cannot be generic; write a struct without parameters",
        ),
        (
            quote!(
                struct User<const N: usize> {
                    a: [u8; N],
                }
            ),
            "`User` cannot be generic; write a struct without parameters",
        ),
    ];
    assert_messages(&cases, |input| messages(&parse_quote!(#input)));
}

#[test]
fn each_role_that_is_missing_is_named() {
    let nothing = parse_quote! { struct User { pub name: String } };
    assert_eq!(
        messages(&nothing),
        [
            "no field is the `id`; add `#[user(id)] pub id: Uuid`",
            "no field is the `identifier`; add `#[user(identifier)] pub email: String`",
            "no field is the `password_hash`; add `#[user(password_hash)] password_hash: PasswordHash`",
        ]
    );
    let unmarked = parse_quote! { struct User { id: Uuid, email: String, password_hash: PasswordHash } };
    assert_eq!(
        messages(&unmarked),
        [
            "no field is the `id`; write `#[user(id)]` above `id`",
            "no field is the `identifier`; write `#[user(identifier)]` above `email`",
            "no field is the `password_hash`; write `#[user(password_hash)]` above `password_hash`",
        ]
    );
    // What one field lacks cannot be known while another cannot be read.
    let unreadable = parse_quote! { struct User { #[user(identifire)] email: String } };
    assert_eq!(messages(&unreadable), ["unknown argument `identifire`; did you mean `identifier`?"]);
}

#[test]
fn a_role_belongs_to_one_field_and_a_field_has_one_role() {
    let cases = [
        (quote!(#[user(id)] other: Uuid), "`id` is the `id` already; a user has one, so remove this"),
        (
            quote!(#[user(identifier)] other: String),
            "`email` is the `identifier` already; a user has one, so remove this",
        ),
        (
            quote!(#[user(password_hash)] other: PasswordHash),
            "`password_hash` is the `password_hash` already; a user has one, so remove this",
        ),
        (
            quote!(#[user(active)] a: bool, #[user(active)] b: bool),
            "`a` is the `active` already; a user has one, so remove this",
        ),
        (
            quote!(#[user(verified)] a: bool, #[user(verified)] b: bool),
            "`a` is the `verified` already; a user has one, so remove this",
        ),
        (
            quote!(#[user(active, verified)] a: bool),
            "`a` is the `active` already; a field has one role, so move `verified` to a field of its own",
        ),
    ];
    assert_messages(&cases, field_messages);
}

#[test]
fn arguments_are_checked_as_they_are_written() {
    let cases = [
        (quote!(#[user(idd)] a: i64), "unknown argument `idd`; did you mean `id`?"),
        (quote!(#[user(xyz)] a: i64), "unknown argument `xyz`; remove it"),
        (
            quote!(#[user(column = "a", column = "b")] a: i64),
            "duplicate argument `column`; remove one of the two",
        ),
        (quote!(#[user(read_only = true)] a: i64), "`read_only` takes no value; write `read_only` alone"),
        (quote!(#[user(active(true))] a: bool), "`active` takes no value; write `active` alone"),
        (quote!(#[user(column = 5)] a: i64), "write a string: `column = \"...\"`"),
        (quote!(#[user(default)] a: i64), "write `default = expression` with the value of a new row"),
        (
            quote!(#[user(identifier = phone)] a: String),
            "write `identifier` for an e-mail address or `identifier = username` for a name",
        ),
        (quote!(#[user(exclude(reed))] a: i64), "unknown DTO `reed`; did you mean `read`?"),
        (
            quote!(#[user(exclude(everywhere))] a: i64),
            "unknown DTO `everywhere`; write one of `admin_update`, `import`, `read`, `register`, `update`",
        ),
        (quote!(#[user(exclude(read, read))] a: i64), "`read` stands here twice; remove one of the two"),
        (
            quote!(#[user(exclude())] a: i64),
            "write `exclude(...)` with some of `read`, `register`, `update`, `admin_update`, `import`",
        ),
        (
            quote!(#[user(exclude = "read")] a: i64),
            "write `exclude(...)` with some of `read`, `register`, `update`, `admin_update`, `import`",
        ),
    ];
    assert_messages(&cases, field_messages);
}

#[test]
fn rules_are_checked_as_they_are_written() {
    let cases = [
        (
            quote!(#[user(validate = length(5, 2))] a: String),
            "nothing lies between these bounds; write the least first and the greatest second",
        ),
        (
            quote!(#[user(validate = range(1.5, -1))] a: f64),
            "nothing lies between these bounds; write the least first and the greatest second",
        ),
        (
            quote!(#[user(validate = length(5))] a: String),
            "`length` takes the least and the greatest number of characters; write `length(2, 40)`",
        ),
        (
            quote!(#[user(validate = range)] a: String),
            "`range` takes the least and the greatest value; write `range(0, 150)`",
        ),
        (quote!(#[user(validate = email(1))] a: String), "`email` takes no arguments; write `email` alone"),
        (
            quote!(#[user(validate = custom)] a: String),
            "`custom` takes the path of a function; write `custom(path)`, where `fn path(value: &T) -> Result<(), Violation>`",
        ),
        (
            quote!(#[user(validate = lenght(1, 2))] a: String),
            "unknown rule `lenght`; write one of `length(least, greatest)`, `range(least, greatest)`, `email`, `custom(path)`",
        ),
        (
            quote!(#[user(validate = 5)] a: String),
            "this is no rule; write one of `length(least, greatest)`, `range(least, greatest)`, `email`, `custom(path)`",
        ),
        (
            quote!(#[user(validate(email))] a: String),
            "write `validate = rule` with one of `length(least, greatest)`, `range(least, greatest)`, `email`, `custom(path)`",
        ),
    ];
    assert_messages(&cases, field_messages);
}

#[test]
fn what_means_nothing_on_a_role_is_refused() {
    let cases = [
        (quote!(#[user(active, validate = email)] a: bool), "nobody types the `active`; remove the rule"),
        (
            quote!(#[user(active, default = true)] a: bool),
            "the library sets the `active` itself; remove `default`",
        ),
        (
            quote!(#[user(active, exclude(register))] a: bool),
            "`a` is never in `UserRegistration`; remove this",
        ),
        (quote!(#[user(verified, exclude(update))] a: bool), "`a` is never in `UserUpdate`; remove this"),
        (
            quote!(#[user(canonical = "x")] a: String),
            "only the identifier has a canonical form; write `canonical` beside `identifier`",
        ),
        (
            quote!(#[user(mailbox)] a: String),
            "the identifier is the mailbox already; remove this, or write `identifier = username` if it is none",
        ),
        (quote!(#[user(active)] a: i64), "the `active` cannot have this type; write `bool`"),
        (quote!(#[user(verified)] a: Option<bool>), "the `verified` cannot have this type; write `bool`"),
        (
            quote!(password: String),
            "`password` is a key of the generated DTOs; rename the field and write `#[user(column = \"password\")]`",
        ),
        (
            quote!(current_password: String),
            "`current_password` is a key of the generated DTOs; rename the field and write `#[user(column = \"current_password\")]`",
        ),
        (
            quote!(old: PasswordHash),
            "`PasswordHash` is a secret and `UserRead` would show it; write `#[user(exclude(read))]` above `old`",
        ),
    ];
    assert_messages(&cases, field_messages);
}

#[test]
fn the_required_fields_are_checked_too() {
    let with = |id: TokenStream, identifier: TokenStream, hash: TokenStream| -> Vec<String> {
        messages(&parse_quote! { struct User { #id, #identifier, #hash } })
    };
    let id = || quote!(#[user(id)] id: Uuid);
    let identifier = || quote!(#[user(identifier)] email: String);
    let hash = || quote!(#[user(password_hash)] password_hash: PasswordHash);
    for (messages, message) in [
        (
            with(quote!(#[user(id)] id: i32), identifier(), hash()),
            "the `id` cannot have this type; write `Uuid` or `i64`",
        ),
        (
            with(quote!(#[user(id, read_only)] id: Uuid), identifier(), hash()),
            "no DTO writes the `id`; remove `read_only`",
        ),
        (
            with(id(), quote!(#[user(identifier)] email: Option<String>), hash()),
            "the `identifier` cannot have this type; write `String`",
        ),
        (
            with(id(), quote!(#[user(identifier, exclude(register))] email: String), hash()),
            "nobody could register without the identifier; remove this",
        ),
        (
            with(id(), quote!(#[user(identifier, read_only)] email: String), hash()),
            "nobody could register without the identifier; write `exclude(update, admin_update)`",
        ),
        (
            with(id(), quote!(#[user(identifier = username, mailbox)] name: String), hash()),
            "a name is no mail address; mark another field with `mailbox`",
        ),
        (
            with(
                id(),
                quote!(#[user(identifier = username)] name: String, #[user(mailbox)] mail: i64),
                hash(),
            ),
            "the `mailbox` cannot have this type; write `String` or `Option<String>`",
        ),
        (
            with(
                id(),
                quote!(#[user(identifier = username)] name: String, #[user(mailbox)] a: String, #[user(mailbox)] b: String),
                hash(),
            ),
            "`a` is the `mailbox` already; a user has one, so remove this",
        ),
        (
            with(
                id(),
                quote!(#[user(identifier = username)] name: String, #[user(mailbox, exclude(update))] a: String),
                hash(),
            ),
            "`a` is never in `UserUpdate`; remove this",
        ),
        (
            with(id(), identifier(), quote!(#[user(password_hash)] password_hash: String)),
            "the `password_hash` cannot have this type; write `PasswordHash`",
        ),
        (
            with(
                id(),
                identifier(),
                quote!(#[user(password_hash, exclude(read))] password_hash: PasswordHash),
            ),
            "`password_hash` is never in `UserRead`; remove this",
        ),
    ] {
        assert_eq!(messages, [message]);
    }
    assert!(with(id(), identifier(), hash()).is_empty());
}

#[test]
fn names_in_sql_are_plain_and_distinct() {
    let cases = [
        (
            quote!(#[user(column = "email")] a: i64),
            "the column `email` belongs to `email` already; write another one with `column = \"...\"`",
        ),
        (
            quote!(#[user(column = "EMAIL")] a: i64),
            "the column `EMAIL` belongs to `email` already; write another one with `column = \"...\"`",
        ),
        (
            quote!(email_canonical: String),
            "the column `email_canonical` belongs to the identifier's canonical form already; write another one with `column = \"...\"`",
        ),
        (
            quote!(#[user(column = "")] a: i64),
            "`` is no name of a column; write one of letters, digits and `_`",
        ),
        (
            quote!(#[user(column = "a\"; --")] a: i64),
            "`a\\\"; --` is no name of a column; write one of letters, digits and `_`",
        ),
        (
            quote!(#[user(column = "a\0")] a: i64),
            "`a\\0` is no name of a column; write one of letters, digits and `_`",
        ),
        (
            quote!(#[user(column = "b")] #[sqlx(rename = "c")] a: i64),
            "`column` names the column of `a` already; remove one of the two",
        ),
        (
            quote!(#[user(sql_type = "TEXT; DROP")] a: i64),
            "`TEXT; DROP` is no type of a column; write one such as `\"TEXT\"`",
        ),
        (quote!(#[user(sql_type = "")] a: i64), "`` is no type of a column; write one such as `\"TEXT\"`"),
    ];
    assert_messages(&cases, field_messages);
    let table = parse_quote! {
        #[user(table = "us`ers")]
        struct User {
            #[user(id)] id: Uuid,
            #[user(identifier)] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
        }
    };
    assert_eq!(messages(&table), ["`us`ers` is no name of a table; write one of letters, digits and `_`"]);
    for (table, name) in
        [(quote!(#[user(table = "users_Roles")]), "users_Roles"), (quote!(), "users_sessions")]
    {
        let input = parse_quote! {
            #table
            struct UsersSession {
                #[user(id)] id: Uuid,
                #[user(identifier)] email: String,
                #[user(password_hash)] password_hash: PasswordHash,
            }
        };
        assert_eq!(
            messages(&input),
            [format!("`{name}` is a table of the library's own; write another one with `table = \"...\"`")]
        );
    }
}

#[test]
fn attributes_of_sqlx_are_honoured_or_refused() {
    let cases = [
        (
            quote!(#[sqlx(json)] a: Thing),
            "`#[sqlx(json)]` is not supported on a user model; write `sqlx::types::Json<T>` as the field's type instead",
        ),
        (
            quote!(#[sqlx(try_from = "i64")] a: Thing),
            "`#[sqlx(try_from)]` is not supported on a user model; implement `sqlx::Type`, `Encode` and `Decode` for the field's type instead",
        ),
        (
            quote!(#[sqlx(flatten)] a: Thing),
            "`#[sqlx(flatten)]` is not supported on a user model; write the columns as fields of this struct instead",
        ),
        (
            quote!(#[sqlx(skip)] a: Thing),
            "`#[sqlx(skip)]` is not supported on a user model; move the field to a struct of your own that holds this one",
        ),
        (quote!(#[sqlx(other)] a: Thing), "`#[sqlx(other)]` is not supported on a user model; remove it"),
    ];
    assert_messages(&cases, field_messages);
    let renamed = parse_quote! {
        #[sqlx(rename_all = "camelCase")]
        struct User {
            #[user(id)] id: Uuid,
            #[user(identifier)] email: String,
            #[user(password_hash)] password_hash: PasswordHash,
        }
    };
    let message = "`#[sqlx(rename_all)]` is not supported on a user model; write `#[user(column = \"...\")]` on the fields whose column has another name";
    assert_eq!(messages(&renamed), [message]);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let input = parse_quote! {
        #[user(tabel = "users")]
        struct User {
            #[user(id, colum = "pk")] id: i32,
            #[user(identifier)] email: String,
            #[user(identifier, validate = length(3, 1))] name: String,
        }
    };
    assert_eq!(
        messages(&input),
        [
            "unknown argument `tabel`; did you mean `table`?",
            "unknown argument `colum`; did you mean `column`?",
            "nothing lies between these bounds; write the least first and the greatest second",
        ]
    );
}

#[test]
fn what_a_client_needs_of_an_account() {
    let input: DeriveInput = parse_quote! {
        #[user(crate = ::renamed::users)]
        pub(crate) struct Account {
            #[user(id)]
            pub key: i64,
            #[user(identifier = username)]
            pub name: String,
            #[user(password_hash)]
            hash: PasswordHash,
            #[user(active)]
            pub is_active: bool,
            #[user(mailbox)]
            pub mail: Option<String>,
            #[user(default = "plain", filter)]
            pub r#type: Kind,
            #[user(filter(range))]
            pub age: Option<i64>,
            #[user(exclude(read))]
            pub note: Note,
            #[user(read_only, exclude(import))]
            pub joined: Timestamp,
        }
    };
    let model = understand(&input).unwrap_or_else(|error| panic!("{error}"));
    let expansion: String = client::client(&model).to_string().split_whitespace().collect();
    for piece in [
        // A trait that requests or responses ask for anyhow is asked for here, too: one mistake, one message.
        r#"mail:dto.take("mail",::renamed::users::Acceptable::accept)?"#,
        r#"joined:dto.take("joined",::renamed::users::client::Receivable::receive)?"#,
        r#"<Stringas::renamed::users::Exposable>::expose(&self.name,"name",body)?;"#,
        r#"ifself.mail.is_some(){<Option<String>as::renamed::users::Exposable>::expose(&self.mail,"mail",body)?;}"#,
        r#"Some(value)=&self.r#type{<Kindas::renamed::users::Exposable>::expose(value,"type",body)?;}"#,
        r#"<Noteas::renamed::users::client::Sendable>::send(&self.note,"note",body)?;"#,
        r#"Some(value)=&self.age_min{<i64as::renamed::users::Exposable>::expose(value,"age_min",body)?;}"#,
        r#"body.password("password",&self.password);"#,
        r#"body.password_if_some("current_password",self.current_password.as_ref());"#,
        r#"body.flag("send_password_reset",self.send_password_reset);"#,
    ] {
        assert!(expansion.contains(piece), "{piece} is not in {expansion}");
    }
    assert_eq!(expansion.matches("\"joined\"").count(), 1, "no request carries it");
    assert_eq!(expansion.matches("\"hash\"").count(), 0);
}

#[test]
fn a_broken_model_leaves_bodies_for_clients_behind() {
    let broken: DeriveInput = parse_quote! { pub struct User { #[user(id)] id: Uuid } };
    let expansion = pretty(expand_for(&broken, &[SQLITE], true));
    assert_eq!(expansion.matches("impl ::users_runtime::client::RequestBody for").count(), 4);
}

/// How long the expansion may get for a user of eight fields, in lines as rustfmt would break them, documentation among them:
/// what a person reads who wants to know what was generated, and what each build of an application compiles.
const MOST_LINES: usize = 600;

#[test]
fn the_expansion_of_a_user_with_eight_fields_can_be_read() {
    let program = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/generated/src/main.rs");
    let program = std::fs::read_to_string(program).expect("the smallest application");
    let file = syn::parse_file(&program).expect("Rust");
    let items = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) => module.content.as_ref(),
        _ => None,
    });
    let user = items.flat_map(|(_, items)| items).find_map(|item| match item {
        syn::Item::Struct(user) => Some(DeriveInput::from(user.clone())),
        _ => None,
    });
    let user = user.expect("a struct");
    let syn::Data::Struct(data) = &user.data else { panic!("it is a struct") };
    assert_eq!(data.fields.len(), 8);
    let lines = pretty(expanded(&user)).lines().count();
    println!("{lines} lines");
    assert!((100..=MOST_LINES).contains(&lines), "{lines} lines");
}
