// Notifications while nobody looks: the server wakes the service worker (sw.ts). One asks for them on each device.

import { effect, signal } from "@preact/signals"
import { call, detailOf } from "./api"
import { T } from "./i18n"
import { keptValue } from "./kept"
import { go } from "./route"
import { current } from "./store"
import { toast } from "./toast"

/** Pushing is whether this device is notified. */
export type Pushing = "unable" | "forbidden" | "off" | "on"

/** pushing is whether this device is notified, and whether it can be. */
export const pushing = signal<Pushing>("unable")

// A browser keeps its subscription when somebody else signs in: each account says for itself whether it wants one.
const wanted = keptValue("notified", false)

let worker: Promise<ServiceWorkerRegistration | undefined> = Promise.resolve(undefined)

/** watchPush starts the service worker, and what this device was asked for. */
export function watchPush(): void {
  if (!("serviceWorker" in navigator)) return
  worker = navigator.serviceWorker.register("/chat/sw.js", { scope: "/chat", updateViaCache: "none" })
    .catch(() => undefined) // a browser that forbids it
  navigator.serviceWorker.addEventListener("message", (e: MessageEvent<{ open?: string }>) => {
    if (typeof e.data?.open === "string") go({ view: "conversation", conversation: e.data.open })
  })
  void begin()
  effect(() => {
    const open = current.value?.conversation
    if (open !== undefined) void dismiss(open)
  })
  document.addEventListener("visibilitychange", () => {
    const open = current.peek()?.conversation
    if (open !== undefined && document.visibilityState === "visible") void dismiss(open)
  })
}

async function begin(): Promise<void> {
  const registration = await worker
  if (!registration || !("PushManager" in window) || !("Notification" in window)) return
  pushing.value = Notification.permission === "denied" ? "forbidden" : "off"
  if (!wanted.peek() || Notification.permission !== "granted") return
  try {
    await subscribe() // the session, or the server's key, may be another one by now
  } catch {
    // it is tried again at the next opening
  }
}

/** dismiss takes away the notifications of a conversation that is in view. */
async function dismiss(conversation: string): Promise<void> {
  if (document.visibilityState !== "visible") return
  const shown = await (await worker)?.getNotifications({ tag: conversation }).catch(() => undefined)
  for (const notification of shown ?? []) notification.close()
}

/** startPushing asks the person for leave, and has this device notified. It is called by a press. */
export async function startPushing(): Promise<void> {
  const leave = await Notification.requestPermission()
  if (leave !== "granted") {
    pushing.value = leave === "denied" ? "forbidden" : "off"
    if (leave === "denied") toast(T("The browser forbids notifications of this site. Its settings can allow them."))
    return
  }
  try {
    await subscribe()
    wanted.value = true
    toast(T("This device notifies you while nobody looks at the chat."))
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}

/** stopPushing has this device notified no more. */
export async function stopPushing(): Promise<void> {
  wanted.value = false
  pushing.value = "off"
  try {
    await call("DELETE", "/me/push")
    await (await (await worker)?.pushManager.getSubscription())?.unsubscribe()
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}

async function subscribe(): Promise<void> {
  await worker
  const registration = await navigator.serviceWorker.ready
  const key = decode((await call<{ key: string }>("GET", "/me/push")).key)
  let has = await registration.pushManager.getSubscription()
  if (has && !same(has.options.applicationServerKey, key)) {
    await has.unsubscribe()
    has = null
  }
  has ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  const { endpoint, keys } = has.toJSON()
  await call("PUT", "/me/push", { endpoint, keys })
  pushing.value = "on"
}

function decode(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))
}

function same(a: ArrayBuffer | null, b: Uint8Array): boolean {
  if (!a || a.byteLength !== b.length) return false
  return new Uint8Array(a).every((byte, i) => byte === b[i])
}
