//! What a crooked or broken provider does.

/// What the provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    /// Nothing.
    None,

    // ID tokens (S46).
    WrongNonce,
    NoNonce,
    WrongAudience,
    /// The client and another in the audience, for whose use it is not said.
    TwoAudiences,
    /// For the use of another client, though this one is in the audience.
    WrongParty,
    WrongIssuer,
    NoIssuer,
    Expired,
    NoExpiry,
    /// Valid in an hour.
    NotYetValid,
    /// Issued in an hour.
    IssuedInTheFuture,
    /// Issued a day ago, valid for two.
    Old,
    /// `alg: none`.
    Unsigned,
    /// `alg: none`, with the signature of an honest one.
    UnsignedWithSignature,
    /// By a key that is not in the set, under the identifier of one that is.
    SignedByAnotherKey,
    /// By a key that is not in the set, and says so.
    UnknownKey,
    /// HS256 with the public key as the secret.
    SharedPublicKey,
    /// HS256 with the client's secret.
    SharedSecret,
    /// The claims are changed after signing.
    Tampered,
    /// The key is in the token's own header.
    KeyInHeader,
    /// A header that has to be understood and is not known.
    CriticalHeader,
    NoIdToken,
    NotAnIdToken,

    // Subjects (S44), in the ID token and in the user information.
    NoSubject,
    EmptySubject,
    LongSubject,
    NumericSubject,
    /// The user information is about somebody else than the ID token.
    UserInfoOfAnother,

    // The token endpoint (S48).
    Slow,
    Redirect,
    HugeBody,
    EndlessBody,
    NotJson,
    ServerError,
    NoTokens,
    /// `invalid_grant`, with the code in the description.
    Refuses,
    /// GitHub's way: a refusal with a status of 200.
    RefusesWith200,
    AnotherTokenType,

    // The user information.
    UserInfoServerError,
    UserInfoNotJson,
    UserInfoRedirect,
    UserInfoSlow,

    // The configuration and the keys.
    DiscoveryServerError,
    DiscoverySlow,
    DiscoveryOfAnother,
    DiscoveryRedirect,
    /// Endpoints without TLS on another machine.
    DiscoveryOfInsecureEndpoints,
    KeySetServerError,
    NoKeys,

    // The authorization response (RFC 9207).
    /// Names another issuer.
    AnswersAsAnother,
    /// Says in the configuration that answers name the issuer, and names none.
    AnswersAnonymously,
    /// Brings another state back.
    WrongState,
    /// Says that the client may not ask.
    Denies,
}
