//! Group `auth`.

use users_tests::{PASSWORD, each_backend};

each_backend!(login_answers_201_with_the_user_and_the_credential, |app| async move {
    app.verified("ada@example.com").await;
    let client = app.client();
    let answer = client.log_in("ada@example.com", PASSWORD).await.expect(201, "");
    assert_eq!(answer.json()["login_count"], 1);
    client.me().await.expect(200, "");
});
