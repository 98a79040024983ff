//! DTOs: what the document says of each field.

use serde_json::json;

use crate::support::{self, config, schema, shop};

#[test]
fn a_registration_says_the_rules_of_its_fields() {
    let document = support::json(&shop::openapi(&config()));
    let registration = schema(&document, "MemberRegistration");
    assert_eq!(registration["additionalProperties"], false);
    assert_eq!(registration["required"], json!(["name", "password", "mail"]));
    let fields = &registration["properties"];
    assert_eq!(fields["name"], json!({"type": "string", "minLength": 1, "maxLength": 64}));
    let password = &fields["password"];
    assert_eq!((&password["format"], &password["writeOnly"]), (&json!("password"), &json!(true)));
    assert_eq!((&password["minLength"], &password["maxLength"]), (&json!(8), &json!(256)));
    assert_eq!(
        fields["label"],
        json!({
            "type": ["string", "null"],
            "description": "What is on the label.\n\nIn a second paragraph.",
            "minLength": 2,
            "maxLength": 40,
        })
    );
    let score = json!({"type": "integer", "format": "int64", "minimum": -5, "maximum": 10_000_000_000_u64});
    assert_eq!(fields["score"], score);
    assert_eq!((&fields["ratio"]["minimum"], &fields["ratio"]["maximum"]), (&json!(0.5), &json!(9.5)));
    assert_eq!(fields["second_mail"], json!({"type": ["string", "null"], "format": "email"}));
    for hidden in ["id", "is_active", "is_verified", "since", "small", "type", "password_hash"] {
        assert_eq!(fields.get(hidden), None, "{hidden}");
    }
}

#[test]
fn types_of_the_applications_own_say_their_form_where_they_can() {
    let document = support::json(&shop::openapi(&config()));
    let fields = &schema(&document, "MemberWithRoles")["properties"];
    assert_eq!(fields["plan"], json!({"$ref": "#/components/schemas/Plan"}));
    let either = json!({"oneOf": [{"$ref": "#/components/schemas/Plan"}, {"type": "null"}]});
    assert_eq!(fields["next_plan"], either);
    assert_eq!(schema(&document, "Plan")["enum"], json!(["free", "golden"]));
    assert_eq!(fields["mood"], json!({}), "any value");
    assert_eq!(fields["preferences"], json!({"$ref": "#/components/schemas/Preferences"}));
    assert_eq!(schema(&document, "Preferences")["required"], json!(["newsletter", "plans"]));
    assert_eq!(fields["keys"], json!({"type": "array", "items": {"type": "string", "format": "uuid"}}));
    assert_eq!(fields["secretive"], json!({}), "any value");
    assert_eq!(fields["since"], json!({"type": "string", "format": "date-time"}));
    assert_eq!(fields["until"], json!({"type": ["string", "null"], "format": "date-time"}));
    assert_eq!(fields["day"], json!({"type": "string", "format": "date"}));
    assert_eq!(fields["local"], json!({"type": "string"}), "a moment without its offset is none of RFC 3339");
    let small = json!({"type": "integer", "format": "int32", "minimum": -32768, "maximum": 32767});
    assert_eq!(fields["small"], small);
    assert_eq!(fields.get("type"), None);
    assert_eq!(fields["id"], json!({"type": "integer", "format": "int64"}));
}

#[test]
fn a_change_needs_no_field() {
    let document = support::json(&shop::openapi(&config()));
    for (name, carried, others) in [
        (
            "MemberUpdate",
            &["name", "password", "current_password", "label"][..],
            &["mail", "is_active", "type"][..],
        ),
        (
            "MemberAdminUpdate",
            &["name", "mail", "is_active", "type", "send_password_reset"],
            &["password", "small"],
        ),
    ] {
        let update = schema(&document, name);
        assert_eq!(
            (update.get("required"), &update["additionalProperties"]),
            (None, &json!(false)),
            "{name}"
        );
        for field in carried {
            assert!(update["properties"][field].is_object(), "{name}.{field}");
        }
        for field in others {
            assert_eq!(update["properties"].get(field), None, "{name}.{field}");
        }
    }
    // Where administrators set passwords, they are told so.
    let document = support::json(&shop::openapi(&config().with_passwords_set_by_administrators(true)));
    assert_eq!(schema(&document, "MemberAdminUpdate")["properties"]["password"]["minLength"], 8);
}

#[test]
fn two_models_of_one_name_do_not_meet() {
    let document = support::json(&shop::openapi(&config()));
    // `Member` is a user and a role: whoever comes second has a number.
    let user = schema(&document, "MemberWithRoles");
    assert_eq!(user["properties"]["roles"]["items"], json!({"$ref": "#/components/schemas/MemberRead"}));
    assert!(schema(&document, "MemberRead")["properties"]["budget"].is_object());
    assert!(schema(&document, "MemberUpdate")["properties"]["label"].is_object());
    assert!(schema(&document, "MemberUpdate2")["properties"]["budget"].is_object());
    let name = &schema(&document, "MemberUpdate2")["properties"]["name"];
    assert_eq!((&name["minLength"], &name["maxLength"]), (&json!(1), &json!(64)));
}

#[test]
fn lists_say_what_they_are_filtered_and_sorted_by() {
    let document = support::json(&shop::openapi(&config()));
    let parameters = document["paths"]["/people"]["get"]["parameters"].as_array().expect("parameters");
    let names: Vec<_> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "search",
            "sort",
            "limit",
            "after",
            "total",
            "is_active",
            "is_verified",
            "label",
            "score_min",
            "score_max",
            "plan"
        ]
    );
    assert!(parameters.iter().all(|parameter| parameter["required"] == false && parameter["in"] == "query"));
    assert_eq!(parameters[1]["schema"]["enum"], json!(["id", "-id", "name", "-name", "score", "-score"]));
    let limit = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": 100, "default": 50});
    assert_eq!(parameters[2]["schema"], limit);
    let page = schema(&document, "MemberPage");
    assert_eq!(page["required"], json!(["items", "next", "limit"]));
}
