// alice over WebSocket with @xmpp/client: sign-in, roster, messages both ways, a stream that is resumed. The test
// says what to do next, a line of JSON a step on stdin, and reads on stdout what came of it.
import { createInterface } from "node:readline";
import { client, xml, jid } from "@xmpp/client";

const tell = (what) => console.log(JSON.stringify(what));

const alice = client({
  service: process.env.RIG_WEBSOCKET_URL,
  domain: "localhost",
  username: "alice",
  password: process.argv[2] ?? process.env.RIG_PASSWORD,
  resource: "web",
});
alice.reconnect.delay = 10;
alice.on("error", (err) => tell({ event: "error", body: String(err) }));
alice.on("element", (el) => console.error("<", el.toString()));
alice.on("send", (el) => console.error(">", el.toString()));
alice.streamManagement.on("resumed", () => tell({ event: "resumed" }));
alice.on("stanza", (st) => {
  const body = st.is("message") && st.getChildText("body");
  if (body) tell({ event: "message", from: st.attrs.from, type: st.attrs.type, body });
});

try {
  const address = await alice.start();
  tell({ event: "online", from: address.toString() });
} catch (err) {
  tell({ event: "refused", body: err.condition ?? String(err) });
  alice.reconnect.stop();
  await alice.stop();
  process.exit();
}

const actions = {
  async presence() {
    const own = new Promise((resolve) => {
      alice.on("stanza", (st) => st.is("presence") && jid(st.attrs.from).equals(alice.jid) && resolve());
    });
    await alice.send(xml("presence"));
    await own;
    tell({ event: "presence" });
  },
  async roster() {
    const query = await alice.iqCaller.get(xml("query", "jabber:iq:roster"));
    tell({ event: "roster", body: query.getChildren("item").map((i) => `${i.attrs.jid} ${i.attrs.name}`).join(",") });
  },
  async rename({ to, body }) {
    await alice.iqCaller.set(xml("query", "jabber:iq:roster", xml("item", { jid: to, name: body })));
    tell({ event: "renamed" });
  },
  async send({ to, type, body }) {
    await alice.send(xml("message", { to, type, id: "m" + Date.now() }, xml("body", {}, body)));
  },
  async sever() {
    // The WebSocket goes and the stream is not closed, as when a browser leaves the page. The library connects again.
    alice.once("disconnect", () => tell({ event: "severed" }));
    alice.socket.end();
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  await actions[step.event](step);
}
await alice.stop();
