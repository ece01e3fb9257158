// The service worker: it shows notifications while nobody looks at the chat, and opens the chat while offline.

import { forget, pagesKept } from "./keptdb"

/** Told is what the server tells of a message (feature/webpush). */
interface Told { conversation: string; name: string; by?: string; text: string; id: string }

// The server writes this before the script (admin/web/front.go). Another version is another script.
declare const parley: { version: string; files: string[]; icon: string }
const worker = self as unknown as ServiceWorkerGlobalScope

const page = "/chat"
const pages = pagesKept + parley.version
const filesKept = "parley-files-"
const files = filesKept + parley.version
const patience = 5000 // ms after which the page that is kept is shown

worker.addEventListener("install", (e) => e.waitUntil(install()))
worker.addEventListener("activate", (e) => e.waitUntil(activate()))

async function install(): Promise<void> {
  await (await caches.open(files)).addAll([...parley.files, parley.icon])
  await keep(await fetch(page, { redirect: "manual" }).catch(() => undefined))
  await worker.skipWaiting()
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) {
    const old = name.startsWith(pagesKept) && name !== pages || name.startsWith(filesKept) && name !== files
    if (old) await caches.delete(name)
  }
  await worker.clients.claim()
}

worker.addEventListener("fetch", (e) => {
  const { pathname, origin } = new URL(e.request.url)
  if (e.request.method !== "GET" || origin !== location.origin) return
  if (e.request.mode === "navigate") {
    if (isChat(pathname)) e.respondWith(openPage(e))
  } else if (pathname.startsWith("/front/") || pathname === parley.icon) {
    e.respondWith(openFile(e.request, pathname))
  }
})

/** isChat says whether an address is the chat's page, of which there is one for all conversations. */
function isChat(path: string): boolean {
  return (path === page || path.startsWith(page + "/")) && !path.startsWith(page + "/converse") && !path.endsWith("/")
}

/** openPage gives the server's page or, if it does not come, the one that is kept. */
async function openPage(e: FetchEvent): Promise<Response> {
  const kept = await (await caches.open(pages)).match(page)
  const answer = fetch(e.request)
  e.waitUntil(answer.then((a) => keep(a.clone()), () => undefined)) // before the browser reads it
  if (!kept) return answer
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept.clone()), patience))
  return Promise.race([answer.then((a) => a.status >= 500 ? kept : a, () => kept), late])
}

/** keep keeps the page for the next time. Where the page leads to the sign-in, the session is over; where it says so,
 * nothing may be kept. */
async function keep(answer: Response | undefined): Promise<void> {
  if (answer?.type === "opaqueredirect" || answer?.headers.get("Parley-Keeps") === "no") return forget()
  if (!answer?.ok || answer.headers.get("Parley-Version") !== parley.version) return
  // What is asked for first is of one conversation, and the page of all.
  const headers = new Headers(answer.headers)
  headers.delete("Link")
  await (await caches.open(pages)).put(page, new Response(answer.body, { headers }))
}

/** openFile gives a file of this version as it is kept, or as the server has it. Files of a version do not change. */
async function openFile(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(files)
  const kept = await cache.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok && path.startsWith(`/front/${parley.version}/`)) await cache.put(request, answer.clone())
  return answer
}

// One after the other: of two that come at once, the newer one is shown last, and stays.
let showing: Promise<void> = Promise.resolve()

worker.addEventListener("push", (e) => {
  if (!e.data) return
  const told = e.data.json() as Told
  showing = showing.catch(() => undefined).then(() => show(told))
  e.waitUntil(showing)
})

/** show shows a message, unless somebody looks at the conversation. A newer one takes the place of an older one. */
async function show(told: Told): Promise<void> {
  const tabs = await worker.clients.matchAll({ type: "window", includeUncontrolled: true })
  const there = pathOf(told.conversation) + "/"
  const shows = (t: WindowClient) => t.visibilityState === "visible" && `${new URL(t.url).pathname}/`.startsWith(there)
  if (tabs.some(shows)) return
  const options: NotificationOptions & { renotify: boolean } = {
    body: told.by ? `${told.by}: ${told.text}` : told.text,
    tag: told.conversation,
    renotify: true,
    icon: parley.icon,
    data: told.conversation,
  }
  await worker.registration.showNotification(told.name, options)
  const app = worker.navigator as WorkerNavigator & { setAppBadge?: () => Promise<void> }
  if (!tabs.length) await app.setAppBadge?.().catch(() => undefined) // a dot: the page counts when it is opened
}

function pathOf(conversation: string): string {
  return `${page}/c/${encodeURIComponent(conversation)}`
}

worker.addEventListener("notificationclick", (e) => {
  e.notification.close()
  e.waitUntil(openConversation(String(e.notification.data)))
})

/** openConversation shows a conversation in a tab of the chat, or in a new one. */
async function openConversation(id: string): Promise<void> {
  const tabs = await worker.clients.matchAll({ type: "window", includeUncontrolled: true })
  const tab = tabs.find((t) => isChat(new URL(t.url).pathname))
  if (!tab) {
    await worker.clients.openWindow(pathOf(id))
    return
  }
  tab.postMessage({ open: id })
  await tab.focus()
}

// Browsers change their subscription now and then.
worker.addEventListener("pushsubscriptionchange", (e) => (e as ExtendableEvent).waitUntil(resubscribe(e)))

async function resubscribe(e: Event): Promise<void> {
  const { oldSubscription, newSubscription } = e as Event & {
    oldSubscription?: PushSubscription | null
    newSubscription?: PushSubscription | null
  }
  const key = oldSubscription?.options.applicationServerKey
  if (!newSubscription && !key) return // the page subscribes when it is opened next
  const now = newSubscription ?? await worker.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key ?? null,
  })
  const { endpoint, keys } = now.toJSON()
  await fetch("/api/v1/me/push", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ endpoint, keys }),
  })
}
