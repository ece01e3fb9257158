// alice in Converse.js, in a real browser without a window. The test says what to do next, a line of JSON a step on stdin,
// and reads on stdout what is seen on the page.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { extname, join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const tell = (what) => console.log(JSON.stringify(what));
const dist = join(dirname(fileURLToPath(import.meta.url)), "node_modules/converse.js/dist");
const types = { ".js": "text/javascript", ".css": "text/css" };
const settings = {
  websocket_url: process.env.RIG_WEBSOCKET_URL,
  authentication: "login",
  auto_login: true,
  jid: "alice@localhost",
  password: process.env.RIG_PASSWORD,
  view_mode: "fullscreen",
  discover_connection_methods: false,
  persistent_store: "none",
  assets_path: "/dist/",
  i18n: "en",
  whitelisted_plugins: ["rig"],
};
const html = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/dist/converse.min.css">
<script src="/dist/converse.min.js"></script><body><script>
converse.plugins.add("rig", { initialize() { window.rig = this._converse; } });
converse.initialize(${JSON.stringify(settings)});</script>`;

const web = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  try {
    const body = path === "/" ? html : await readFile(join(dist, path.replace(/^\/dist\//, "/")));
    response.writeHead(200, { "Content-Type": path === "/" ? "text/html" : types[extname(path)] ?? "application/octet-stream" });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({
  executablePath: process.env.RIG_CHROMIUM,
  // The certificate is the rig's own; nothing of the browser's is to leave the machine.
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--ignore-certificate-errors"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(30000);
page.on("console", (m) => console.error("console:", m.text()));
page.on("pageerror", (e) => console.error("page:", String(e)));
page.on("websocket", (ws) => {
  ws.on("framereceived", (f) => console.error("<", f.payload));
  ws.on("framesent", (f) => console.error(">", f.payload));
});

const api = (f, ...args) => page.evaluate(f, ...args);
const actions = {
  // entered waits until the page is in a room, which nobody has told it to enter.
  async entered({ to }) {
    await page.waitForFunction(
      (room) => window.rig.state.chatboxes.get(room)?.session?.get("connection_status") === window.converse.ROOMSTATUS.ENTERED, to);
    tell({ event: "entered", to });
  },
  async send({ to, type, body }) {
    await api(async ([to, type, body]) => {
      const box = type === "groupchat" ? await window.rig.api.rooms.open(to, {}, true) : await window.rig.api.chats.open(to, {}, true);
      await box.sendMessage({ body });
    }, [to, type, body]);
    tell({ event: "sent" });
  },
  // shown waits for a text on the page.
  async shown({ to, type, body }) {
    await api(([to, type]) => (type === "groupchat" ? window.rig.api.rooms.open(to, {}, true) : window.rig.api.chats.open(to, {}, true)), [to, type]);
    await page.waitForFunction((text) => [...document.querySelectorAll(".chat-msg__text")].some((e) => e.textContent.includes(text)), body);
    tell({ event: "shown", body });
  },
  async roster() {
    await page.waitForFunction(() => window.rig.state.roster?.length > 0);
    tell({ event: "roster", body: await api(() => window.rig.state.roster.map((c) => c.get("jid")).sort().join(",")) });
  },
  async screenshot({ body }) {
    await page.screenshot({ path: body });
    tell({ event: "screenshot" });
  },
};

try {
  await page.goto(`http://127.0.0.1:${web.address().port}/`);
  await page.waitForFunction(() => window.rig?.api?.connection?.connected?.() && window.rig.state?.chatboxes);
  tell({ event: "online", from: await api(() => window.rig.session.get("jid")) });
  for await (const line of createInterface({ input: process.stdin })) {
    const step = JSON.parse(line);
    await actions[step.event](step);
  }
} catch (err) {
  tell({ event: "error", body: String(err) });
} finally {
  await browser.close();
  web.close();
}
