//! What the parts of a request cost, one by one: `cargo bench -p users-bench`.

use std::{hint::black_box, path::PathBuf};

use axum::{
    body::Body,
    http::{HeaderValue, Request, header},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use users_runtime::{
    Application, Config, IdentifierKind, Parts, Password, PasswordHash, SecretKey, UserCache, UserModel,
    Users, UsersRouter,
    bench::{Credentials, Hashing, Outbox},
    canonicalise, users_app,
};
use uuid::Uuid;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// A user.
#[derive(Clone, Debug, UserModel)]
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
}

#[users_app(auth = "session", user = super::User)]
mod session {}

#[users_app(auth = "jwt_cookie", user = super::User)]
mod jwt_cookie {}

/// A folder that goes with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("users-micro-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn database(&self, name: &str) -> String {
        format!("sqlite://{}", self.0.join(name).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is a file in the temporary folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn tokens(criterion: &mut Criterion) {
    let value = [7; 256];
    let credentials = Credentials::new(&value).expect("randomness");
    assert!(credentials.check_token() && credentials.open());
    criterion.bench_function("token/check", |bench| bench.iter(|| black_box(&credentials).check_token()));
    let mut group = criterion.benchmark_group("cookie");
    group.throughput(Throughput::Bytes(value.len() as u64));
    group.bench_function("seal", |bench| bench.iter(|| credentials.seal(black_box(&value))));
    group.bench_function("open", |bench| bench.iter(|| black_box(&credentials).open()));
    group.finish();
}

fn identifiers(criterion: &mut Criterion) {
    for (name, typed) in [("ascii", "Ada.Lovelace@Example.com"), ("unicode", "Zoë.Müller@Exämple.com")] {
        criterion.bench_function(&format!("identifier/{name}"), |bench| {
            bench.iter(|| canonicalise(IdentifierKind::Email, black_box(typed)));
        });
    }
}

/// An application with one user, and the request of that user.
async fn request_of<A>(url: &str, config: Config) -> (Users<A>, Parts)
where
    A: Application<User = User>,
    A::Auth: Default,
    A::Hooks: Default,
{
    let users = Users::<A>::connect(url, config).await.expect("it starts");
    if users.find_user(EMAIL).await.expect("an answer").is_none() {
        let registration = UserRegistration { email: EMAIL.to_owned(), password: Password::new(PASSWORD) };
        let user = users.create_user(registration).await.expect("a user");
        users.set_verified(user.id, true).await.expect("it is done");
    }
    let body = format!(r#"{{"email": "{EMAIL}", "password": "{PASSWORD}"}}"#);
    let login = Request::post("/login").header(header::CONTENT_TYPE, "application/json");
    let login = login.body(Body::from(body)).expect("a request");
    let answer = UsersRouter::new(users.clone()).into_router().oneshot(login).await.expect("an answer");
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
    let pairs: Vec<_> = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next()).collect();
    let mut parts = Request::new(()).into_parts().0;
    parts.headers.insert(header::COOKIE, HeaderValue::try_from(pairs.join("; ")).expect("a header"));
    assert!(users.authenticate(&parts).await.expect("an answer").is_some());
    (users, parts)
}

fn sessions(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = Folder::new();
    let url = folder.database("users.db");
    let config = || Config::new(SecretKey::generate().expect("randomness")).with_insecure_cookies(true);
    for (name, config) in [("database", config()), ("cached", config().with_user_cache(UserCache::default()))]
    {
        let (users, parts) = runtime.block_on(request_of::<session::App>(&url, config.clone()));
        criterion.bench_function(&format!("session/{name}"), |bench| {
            bench.to_async(&runtime).iter(|| users.authenticate(&parts));
        });
        let (users, parts) = runtime.block_on(request_of::<jwt_cookie::App>(&url, config));
        criterion.bench_function(&format!("jwt_cookie/{name}"), |bench| {
            bench.to_async(&runtime).iter(|| users.authenticate(&parts));
        });
    }
    let outbox = runtime.block_on(Outbox::connect(&url)).expect("it is there");
    criterion.bench_function("outbox/insert", |bench| {
        bench.to_async(&runtime).iter(|| async { outbox.insert().await.expect("it is stored") });
    });
    runtime.shutdown_background();
}

fn passwords(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut group = criterion.benchmark_group("password");
    group.sample_size(30);
    let alone = runtime.block_on(Hashing::new(1)).expect("threads");
    group.bench_function("one", |bench| {
        bench.to_async(&runtime).iter(|| async { assert!(alone.verify().await.expect("an answer")) });
    });
    let hashing = std::sync::Arc::new(runtime.block_on(Hashing::new(cores)).expect("threads"));
    group.throughput(Throughput::Elements(8));
    group.bench_function("eight at once", |bench| {
        bench.to_async(&runtime).iter(|| async {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let hashing = std::sync::Arc::clone(&hashing);
                    tokio::spawn(async move { hashing.verify().await.expect("an answer") })
                })
                .collect();
            for task in tasks {
                assert!(task.await.expect("no panic"));
            }
        });
    });
    group.finish();
}

criterion_group!(parts, tokens, identifiers, sessions, passwords);
criterion_main!(parts);
