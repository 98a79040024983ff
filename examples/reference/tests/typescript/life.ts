// The whole life of a user against a running server, whose address and folder of mails the environment names.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Client, type ClientOptions, Problem, type ProblemCode, isProblem } from "./client.js";

function variable(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

const baseUrl = variable("BASE_URL");
const mails = variable("MAIL");
const [email, admin, password] = ["ada@example.com", variable("ADMIN_EMAIL"), variable("ADMIN_PASSWORD")];

const used = new Set<string>();

/** The token of the next mail to an address that has one. */
async function token(to: string): Promise<string> {
  for (let tries = 0; tries < 1000; tries += 1) {
    for (const name of readdirSync(mails).filter((name) => name.endsWith(".eml"))) {
      const lines = readFileSync(join(mails, name), "utf8").split(/\r?\n/);
      const found = lines.find((line) => line.startsWith("token="))?.slice("token=".length);
      if (found !== undefined && lines.includes(`To: ${to}`) && !used.has(found)) {
        used.add(found);
        return found;
      }
    }
    await sleep(10);
  }
  throw new Error(`no mail with a token to ${to}`);
}

/** Cookies, which a browser would keep and Node does not. */
function withCookies(options: ClientOptions = {}): Client {
  const jar = new Map<string, string>();
  const send: typeof fetch = async (input, init) => {
    assert.equal(init?.credentials, "include");
    const headers = new Headers(init?.headers);
    headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(input, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") {
        jar.delete(name);
      } else {
        jar.set(name, value);
      }
    }
    return response;
  };
  return new Client({ baseUrl, fetch: send, ...options });
}

async function refused(answer: Promise<unknown>, status: number, code: ProblemCode): Promise<Problem> {
  try {
    await answer;
  } catch (error) {
    if (isProblem(error)) {
      assert.deepEqual([error.status, error.code], [status, code], String(error));
      return error;
    }
    throw error;
  }
  return assert.fail(`no refusal, wanted ${code}`);
}

async function life(): Promise<void> {
  const client = withCookies();
  const short = await refused(client.register({ email, password, display_name: "A" }), 422, "validation_failed");
  assert.deepEqual(short.errors.map(({ field, code }) => [field, code]), [["display_name", "too_short"]]);
  const registered = await client.register({ email, password });
  assert.deepEqual([registered.email, registered.is_verified, registered.display_name], [email, false, null]);
  await refused(client.register({ email, password }), 409, "identifier_taken");

  await refused(client.logIn({ email, password }), 403, "not_verified");
  assert.equal((await client.verify({ token: await token(email) })).is_verified, true);
  await refused(client.readAccount(), 401, "unauthenticated");
  await refused(client.logIn({ email, password: "not this one" }), 401, "bad_credentials");

  const { id } = await client.logIn({ email, password });
  const me = await client.readAccount();
  assert.deepEqual([me.id, me.login_count, me.roles], [id, 1, []]);
  assert.equal((await client.updateAccount({ display_name: "Ada" })).display_name, "Ada");
  assert.equal((await client.updateAccount({})).display_name, "Ada");
  assert.equal((await client.updateAccount({ display_name: null })).display_name, null);

  const elsewhere = withCookies();
  await elsewhere.logIn({ email, password });
  const { items: sessions } = await elsewhere.listSessions();
  assert.deepEqual(sessions.map((session) => session.current).sort(), [false, true]);
  const other = sessions.find((session) => !session.current);
  assert.ok(other && Date.now() - Date.parse(other.created_at) < 60_000);
  // It would be the route that ends them all.
  await assert.rejects(elsewhere.endSession(".."), TypeError);
  await elsewhere.endSession(other.id);
  await refused(client.readAccount(), 401, "unauthenticated");

  await client.logIn({ email, password });
  const next = "an entirely different sentence";
  const wrong = { password: next, current_password: "not this one" };
  await refused(client.updateAccount(wrong), 403, "current_password_wrong");
  await client.updateAccount({ password: next, current_password: password });
  assert.equal((await client.readAccount()).id, id);
  await refused(elsewhere.readAccount(), 401, "unauthenticated");

  // The refresh token is in a cookie, and good once.
  assert.equal(await client.refreshToken(), undefined);
  assert.equal((await client.readAccount()).id, id);
  await client.logOut();
  await refused(client.readAccount(), 401, "unauthenticated");
  await refused(client.refreshToken(), 400, "invalid_grant");

  await client.forgotPassword({ email });
  await client.resetPassword({ token: await token(email), password });
  await refused(client.logIn({ email, password: next }), 401, "bad_credentials");
  await client.logIn({ email, password });
  await refused(client.listUsers(), 403, "forbidden");
  await manage(client, id);
  await refused(client.readAccount(), 401, "unauthenticated");
}

/** What an administrator does, by tokens in a header, to the user of this client at last. */
async function manage(client: Client, id: string): Promise<void> {
  const root = new Client({ baseUrl, keepToken: true });
  assert.equal((await root.logIn({ email: admin, password })).roles[0]?.name, "administrator");
  assert.ok(root.token);
  const page = await root.listUsers({ limit: 1, sort: "email", total: true });
  assert.deepEqual([page.items.map((user) => user.email), page.total], [[email], 2]);
  assert.ok(page.next);
  const last = await root.listUsers({ limit: 1, sort: "email", after: page.next });
  assert.deepEqual([last.items.map((user) => user.email), last.next], [[admin], null]);

  const role = await root.createRole({ name: "writer" });
  assert.equal((await root.updateRole(role.id, { description: "of books" })).description, "of books");
  assert.deepEqual((await root.listRoles()).map((role) => role.name), ["administrator", "writer"]);
  const membership = { user_id: id, role_id: role.id };
  assert.deepEqual((await root.assignRole(membership)).roles.map((role) => role.name), ["writer"]);
  await refused(root.assignRole(membership), 409, "role_already_assigned");
  assert.deepEqual((await root.revokeRole(membership)).roles, []);
  await root.deleteRole(role.id);

  assert.equal((await root.updateUser(id, { login_count: 7 })).login_count, 7);
  await root.endSessionsOf(id);
  await refused(client.readAccount(), 401, "unauthenticated");
  await client.logIn({ email, password });
  assert.equal((await root.readUser(id)).login_count, 8);
  assert.equal((await root.deleteUser(id)).email, email);
  await refused(root.readUser(id), 404, "not_found");

  const form = { grant_type: "password", username: admin, password } as const;
  const tokens = await new Client({ baseUrl }).issueToken(form);
  const bearer = new Client({ baseUrl, token: tokens.access_token });
  assert.equal((await bearer.readAccount()).email, admin);
  assert.ok(tokens.refresh_token);
  const exchanged = await bearer.refreshToken({ refresh_token: tokens.refresh_token });
  assert.ok(exchanged && exchanged.access_token !== tokens.access_token);
}

/** What is no refusal of the server's is no `Problem`. */
async function trouble(): Promise<void> {
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(new Client({ baseUrl }).readAccount({ signal: stop.signal }), { name: "AbortError" });
  const page: typeof fetch = async () => new Response("<html>", { status: 502 });
  const behind = new Client({ baseUrl, fetch: page });
  await assert.rejects(behind.readAccount(), { name: "UnexpectedAnswer", status: 502, body: "<html>" });
  const busy: typeof fetch = async () =>
    Response.json({ code: "company_only", detail: "no" }, { status: 403, headers: { "retry-after": "3" } });
  const problem = await new Client({ baseUrl, fetch: busy }).readAccount().catch((error: unknown) => error);
  assert.ok(isProblem(problem) && !isProblem(problem, "forbidden") && !isProblem(new Error("no")));
  assert.deepEqual([problem.code, problem.retryAfter], ["company_only", 3]);
}

await life();
await trouble();
console.log("the whole life of a user");
