//! Group `register`.

use serde_json::json;
use users_tests::{PASSWORD, each_backend};

each_backend!(registration_answers_201_with_the_user, |app| async move {
    let answer = app
        .client()
        .post("/register", &json!({"email": "ada@example.com", "password": PASSWORD, "display_name": "Ada"}))
        .await
        .expect(201, "");
    let user = answer.json();
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["display_name"], "Ada");
    assert_eq!(user["age"], 30);
    assert_eq!(user["login_count"], 0);
    assert_eq!((&user["is_active"], &user["is_verified"]), (&json!(true), &json!(false)));
    assert!(user.get("password_hash").is_none(), "{user}");
});
