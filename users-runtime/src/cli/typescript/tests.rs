//! Documents and what becomes of them.

use serde_json::{Value, json};

use super::{client, names::Scope, schema::Types};

fn types_of(schema: &Value) -> String {
    let document = json!({ "components": {
        "schemas": { "User": {}, "a/b": {}, "Problem": {} },
        "parameters": { "id": { "schema": { "type": "string" } } },
    } });
    Types::new(&document, &mut Scope::of_file()).of(schema)
}

#[test]
fn every_form_of_a_schema_is_a_type() {
    for (schema, wanted) in [
        (json!({}), "unknown"),
        (json!(true), "unknown"),
        (json!(false), "never"),
        (json!({ "type": "string", "format": "date-time" }), "string"),
        (json!({ "type": "string", "format": "binary" }), "Blob"),
        (json!({ "type": "integer", "format": "int64" }), "number"),
        (json!({ "type": "number" }), "number"),
        (json!({ "type": "boolean" }), "boolean"),
        (json!({ "type": ["string", "null"] }), "string | null"),
        (json!({ "type": "string", "nullable": true }), "string | null"),
        (json!({ "type": "string", "enum": ["a", "b\"c"] }), r#""a" | "b\"c""#),
        (json!({ "enum": [1, null, true] }), "1 | null | true"),
        (json!({ "const": "a" }), "\"a\""),
        (json!({ "type": "array", "items": { "type": ["integer", "null"] } }), "(number | null)[]"),
        (json!({ "type": "array" }), "unknown[]"),
        (json!({ "type": ["array", "null"], "items": { "type": "string" } }), "string[] | null"),
        (json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": false }), "[string]"),
        (json!({ "prefixItems": [{ "type": "string" }] }), "[string, ...unknown[]]"),
        (json!({ "$ref": "#/components/schemas/User" }), "User"),
        (json!({ "$ref": "#/components/schemas/User", "description": "x" }), "User"),
        (json!({ "$ref": "#/components/schemas/a~1b" }), "a_b"),
        (json!({ "$ref": "#/components/schemas/Problem" }), "ProblemSchema"),
        (json!({ "$ref": "#/components/schemas/Nobody" }), "unknown"),
        (json!({ "$ref": "#/components/parameters/id/schema" }), "string"),
        (json!({ "$ref": "https://example.com/schema" }), "unknown"),
        (json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/User" }] }), "null | User"),
        (json!({ "anyOf": [{ "type": "string" }, { "type": "string" }] }), "string"),
        (
            json!({ "allOf": [{ "$ref": "#/components/schemas/User" }, { "oneOf": [{ "const": 1 }, { "const": 2 }] }] }),
            "User & (1 | 2)",
        ),
        (json!({ "type": "object" }), "Record<string, unknown>"),
        (json!({ "type": "object", "additionalProperties": false }), "Record<string, never>"),
        (json!({ "additionalProperties": { "type": "integer" } }), "Record<string, number>"),
        (
            json!({ "properties": { "a": { "type": "string" }, "b-c": { "readOnly": true } }, "required": ["a"],
                "additionalProperties": false }),
            "{ a: string; readonly \"b-c\"?: unknown }",
        ),
        (json!({ "type": ["object", "null"], "properties": { "a": {} } }), "{ a?: unknown } | null"),
        (
            json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": { "type": "string" } }),
            "{ a?: unknown } & Record<string, string>",
        ),
    ] {
        assert_eq!(types_of(&schema), wanted, "{schema}");
    }
}

#[test]
fn a_reference_to_itself_ends() {
    let document = json!({ "definitions": { "a": { "$ref": "#/definitions/a" } }, "components": { "schemas": {
        "Tree": { "type": "object", "properties": { "children": { "type": "array",
            "items": { "$ref": "#/components/schemas/Tree" } } } } } } });
    let types = Types::new(&document, &mut Scope::of_file());
    assert_eq!(types.of(&json!({ "$ref": "#/definitions/a" })), "unknown");
    assert!(types.declarations().contains("children?: Tree[];"));
}

fn orders() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Orders */", "version": "2" },
        "paths": {
            "/orders": {
                "get": {
                    "operationId": "list_orders",
                    "summary": "lists orders",
                    "parameters": [
                        { "name": "limit", "in": "query", "description": "At most.", "schema": { "type": "integer" } },
                        { "name": "x-tenant", "in": "header", "required": true, "schema": { "type": "string" } }
                    ],
                    "responses": {
                        "200": { "content": { "application/json": { "schema": { "type": "array",
                            "items": { "$ref": "#/components/schemas/Order" } } } } },
                        "401": { "content": { "application/problem+json": { "schema": { "allOf": [
                            { "$ref": "#/components/schemas/Problem" },
                            { "properties": { "code": { "enum": ["unauthenticated", "a\"b"] } } }
                        ] } } } },
                        "403": { "content": { "application/problem+json": { "schema": { "properties": { "code": {
                            "anyOf": [{ "enum": ["forbidden"] }, { "type": "string" }] } } } } } },
                        "400": { "content": { "application/json": { "schema": { "properties": { "error": {
                            "const": "invalid_grant" } } } } } }
                    }
                },
                "post": {
                    "requestBody": { "required": true, "content": { "application/json": { "schema": {
                        "$ref": "#/components/schemas/Order" } } } },
                    "responses": { "201": { "description": "done" } }
                }
            },
            "/orders/{id}/items/{item_id}": {
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } },
                    { "name": "item_id", "in": "path", "required": true, "schema": { "type": "string" } }
                ],
                "delete": {
                    "operationId": "delete",
                    "responses": { "200": { "content": { "text/plain": {} } }, "204": {} }
                }
            },
            "/token": { "post": {
                "operationId": "token",
                "requestBody": { "content": { "application/x-www-form-urlencoded": { "schema": {
                    "properties": { "grant_type": { "const": "password" } }, "required": ["grant_type"] } } } },
                "responses": {}
            } }
        },
        "components": { "schemas": {
            "Order": { "type": "object", "description": "An order.", "required": ["id"], "properties": {
                "id": { "type": "integer" },
                "note": { "type": ["string", "null"], "description": "Ends */ no comment." } } },
            "Problem": { "type": "object" }
        } }
    })
}

#[test]
fn operations_become_methods() {
    let file = client(&orders());
    for piece in [
        " * A client of Orders *\\/, version 2.\n",
        "export type ProblemCode = \n  | \"a\\\"b\"\n  | \"forbidden\"\n  | \"invalid_grant\"\n  | \"unauthenticated\";\n",
        "/** An order. */\nexport interface Order {\n  id: number;\n  /** Ends *\\/ no comment. */\n  note?: string | null;\n}\n",
        "export interface ListOrdersQuery {\n  /** At most. */\n  limit?: number;\n}\n",
        "  async listOrders(query: ListOrdersQuery = {}, headers: ListOrdersHeaders, options: CallOptions = {}): \
         Promise<Order[]> {\n    return (await this.#call(\"GET\", \"/orders\", { options, query, headers })) as Order[];\n",
        "   * - 401: `a\"b`, `unauthenticated`\n",
        "  async postOrders(body: Order, options: CallOptions = {}): Promise<void> {\n    \
         await this.#call(\"POST\", \"/orders\", { options, json: body });\n",
        "  async delete_(id: number, itemId: string, options: CallOptions = {}): Promise<string | undefined> {\n    \
         return (await this.#call(\"DELETE\", \"/orders/\" + segment(id) + \"/items/\" + segment(itemId), { options })) \
         as string | undefined;\n",
        "  async token_(body?: { grant_type: \"password\" }, options: CallOptions = {}): Promise<void> {\n    \
         await this.#call(\"POST\", \"/token\", { options, form: body });\n",
    ] {
        assert!(file.contains(piece), "{piece}\n{file}");
    }
    assert!(!file.contains("{methods}") && !file.contains("{types}"), "{file}");
}

#[test]
fn a_document_that_says_nothing_is_a_client_without_methods() {
    for document in [json!({}), json!(null), json!({ "paths": { "/": { "get": null } }, "info": 3 })] {
        let file = client(&document);
        assert!(file.contains("export type ProblemCode = string;"), "{file}");
    }
}
