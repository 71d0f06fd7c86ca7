// The official JavaScript client against the embedded staging environment.
// Run by tests/staging/clients/test_node.py, which tells by environment where the environment is and who may sign in.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import WebSocket from "ws";

const { SUPABASE_URL, SUPABASE_ANON_KEY } = process.env;
const { password, people, chat_id: chatId, other_chat_id: otherChatId } = JSON.parse(process.env.CAST);

const WAIT_MS = 15_000;
const clients = [];

async function signedIn(email) {
  const client = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
    // Node 20 has no WebSocket of its own.
    realtime: { transport: WebSocket },
  });
  clients.push(client);
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  assert.equal(error, null);
  return { client, id: data.user.id };
}

async function eventually(condition, what) {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Joins a channel that listens to these chats, and waits until its subscription is live.
async function listening(client, topic, chats, event = "*") {
  const heard = { events: [], systems: [], states: [] };
  heard.channel = client.channel(topic).on("system", {}, (payload) => heard.systems.push(payload));
  for (const chat of chats) {
    const filter = { event, schema: "public", table: "chat_messages", filter: `chat_id=eq.${chat}` };
    heard.channel.on("postgres_changes", filter, (payload) => heard.events.push(payload));
  }
  heard.channel.subscribe((state, error) => heard.states.push(error ? `${state}: ${error.message}` : state));
  await eventually(() => heard.systems.length > 0, `system of ${topic}, states ${heard.states}`);
  assert.equal(heard.systems[0].message, "Subscribed to PostgreSQL");
  assert.deepEqual(heard.states, ["SUBSCRIBED"]);
  return heard;
}

let ann, ben, outsider;

before(async () => {
  [ann, ben, outsider] = await Promise.all(people.map(signedIn));
});

after(async () => {
  await Promise.all(clients.map((client) => client.removeAllChannels()));
  for (const client of clients) client.realtime.disconnect();
});

const message = (chat, sender, text) => ({
  chat_id: chat,
  sender_id: sender.id,
  message_text: text,
  client_generated_id: randomUUID(),
});

test("refuses a wrong password", async () => {
  const client = createClient(SUPABASE_URL, SUPABASE_ANON_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket },
  });
  const { error } = await client.auth.signInWithPassword({ email: people[0], password: "wrong" });
  assert.equal(error.message, "Invalid login credentials");
  assert.equal(error.status, 400);
});

test("tells who one is", async () => {
  const { data } = await ann.client.auth.getUser();
  assert.equal(data.user.id, ann.id);
});

test("hears what others send and mark in its chat and nothing else", async () => {
  const heard = await listening(ann.client, `chat:${chatId}`, [chatId]);
  const elsewhere = await ben.client.from("chat_messages").insert(message(otherChatId, ben, "elsewhere"));
  assert.equal(elsewhere.error, null);
  const text = 'hier: "ü" 👋\n';
  const stored = await ben.client.from("chat_messages").insert(message(chatId, ben, text)).select().single();
  assert.equal(stored.error, null);
  assert.equal(stored.data.status, "sent");

  await eventually(() => heard.events.length === 1, "the insert");
  const [inserted] = heard.events;
  assert.equal(inserted.eventType, "INSERT");
  assert.equal(inserted.new.message_text, text);
  assert.equal(inserted.new.seq, stored.data.seq);
  assert.equal(inserted.errors, null);
  assert.match(inserted.commit_timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

  const marked = await ann.client.rpc("mark_messages_as_delivered", { p_chat_id: chatId, p_receiver_id: ann.id });
  assert.deepEqual(marked.data, [{ updated_count: 1 }]);
  await eventually(() => heard.events.length === 2, "the update");
  assert.equal(heard.events[1].eventType, "UPDATE");
  assert.equal(heard.events[1].old.status, "sent");
  assert.equal(heard.events[1].new.status, "delivered");

  await ben.client.from("chat_messages").delete().eq("id", stored.data.id);
  await eventually(() => heard.events.length === 3, "the delete");
  assert.equal(heard.events[2].eventType, "DELETE");
  assert.deepEqual(heard.events[2].old, { id: stored.data.id });
  await ann.client.removeChannel(heard.channel);
  assert.equal(heard.states.at(-1), "CLOSED");
});

test("reads a page of history", async () => {
  for (const number of [1, 2, 3]) {
    await ben.client.from("chat_messages").insert(message(chatId, ben, `number ${number}`));
  }
  const { data, error } = await ann.client
    .from("chat_messages")
    .select("seq, message_text")
    .eq("chat_id", chatId)
    .order("seq", { ascending: false })
    .limit(2);
  assert.equal(error, null);
  assert.deepEqual(data.map((row) => row.message_text), ["number 3", "number 2"]);
});

test("goes on hearing after its token was refreshed", async () => {
  const heard = await listening(ann.client, "refreshed", [chatId], "INSERT");
  // Tokens made in one second are the same text, and no refresh at all.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const { data } = await ann.client.auth.refreshSession();
  await ann.client.realtime.setAuth(data.session.access_token);
  await eventually(() => heard.systems.length === 2, "the second system message");
  await ben.client.from("chat_messages").insert(message(chatId, ben, "still here?"));
  // What was committed just before the subscription may come, too: changes are looked for every 50 ms.
  const texts = () => heard.events.map((event) => event.new.message_text);
  await eventually(() => texts().includes("still here?"), "the insert");
  await ann.client.removeChannel(heard.channel);
});

test("an outsider is refused everywhere", async () => {
  const heard = await listening(outsider.client, "peep", [chatId, otherChatId], "INSERT");
  await ben.client.from("chat_messages").insert(message(chatId, ben, "secret"));
  await ben.client.from("chat_messages").insert(message(otherChatId, ben, "for all three"));
  const texts = () => heard.events.map((event) => event.new.message_text);
  await eventually(() => texts().includes("for all three"), "the insert into the chat they share");
  assert.equal(heard.events.filter((event) => event.new.chat_id === chatId).length, 0);

  const read = await outsider.client.from("chat_messages").select("id").eq("chat_id", chatId);
  assert.deepEqual(read.data, []);
  const written = await outsider.client.from("chat_messages").insert(message(chatId, outsider, "let me in"));
  assert.equal(written.error.code, "42501");
  const marks = { p_chat_id: chatId, p_user_id: outsider.id };
  assert.equal((await outsider.client.rpc("mark_messages_as_read", marks)).error.code, "42501");
});

test("is told when a table is not published", async () => {
  const systems = [];
  const channel = ann.client
    .channel("accounts")
    .on("system", {}, (payload) => systems.push(payload))
    .on("postgres_changes", { event: "*", schema: "public", table: "accounts" }, () => {})
    .subscribe();
  await eventually(() => systems.length > 0, "the system message");
  assert.equal(systems[0].status, "error");
  assert.match(systems[0].message, /^Unable to subscribe to changes with given parameters\. Please check Realtime/);
  await ann.client.removeChannel(channel);
});

test("broadcasts to others, and to itself if asked", async () => {
  const heard = [];
  const own = [];
  const joined = (channel) =>
    new Promise((resolve) => channel.subscribe((state) => state === "SUBSCRIBED" && resolve(channel)));
  await joined(ben.client.channel("room").on("broadcast", { event: "typing" }, (payload) => heard.push(payload)));
  const sender = ann.client
    .channel("room", { config: { broadcast: { ack: true, self: true } } })
    .on("broadcast", { event: "typing" }, (payload) => own.push(payload));
  await joined(sender);
  assert.equal(await sender.send({ type: "broadcast", event: "typing", payload: { who: "ann" } }), "ok");
  await eventually(() => heard.length && own.length, "both broadcasts");
  assert.deepEqual(heard[0].payload, { who: "ann" });
  assert.deepEqual(own[0].payload, { who: "ann" });
});
