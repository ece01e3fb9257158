// What is shown while offline: the conversations, and their last messages. The browser's database keeps it, for the
// account that is signed in alone. The service worker uses this too: nothing of the page is imported here.

import type { Conversation, Message } from "./types"

const conversationsKept = 30
const messagesKept = 50

/** KeptTree are the conversations of an account. */
export interface KeptTree { owner: string; conversations: Conversation[] }

interface KeptMessages { id: string; used: number; messages: Message[] }

let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("parley", 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore("tree")
      request.result.createObjectStore("messages", { keyPath: "id" }).createIndex("used", "used")
    }
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close()
      resolve(request.result)
    }
    request.onerror = () => reject(request.error)
  })
  opened.catch(() => { opened = undefined })
  return opened
}

/** use runs a transaction. It gives what act's request finds; undefined in a browser that keeps nothing. */
async function use<T>(store: "tree" | "messages", mode: IDBTransactionMode,
  act: (s: IDBObjectStore) => IDBRequest<T> | void): Promise<T | undefined> {
  try {
    const db = await open()
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(store, mode)
      const request = act(transaction.objectStore(store))
      transaction.oncomplete = () => resolve(request ? request.result : undefined)
      transaction.onabort = transaction.onerror = () => reject(transaction.error)
    })
  } catch {
    return undefined
  }
}

/** keptTree gives the conversations that are kept. */
export function keptTree(): Promise<KeptTree | undefined> {
  return use<KeptTree | undefined>("tree", "readonly", (s) => s.get("tree"))
}

/** keepTree keeps conversations. */
export async function keepTree(tree: KeptTree): Promise<void> {
  await use("tree", "readwrite", (s) => s.put(tree, "tree"))
}

/** keptMessages gives the messages that are kept of a conversation, oldest first. */
export async function keptMessages(id: string): Promise<Message[]> {
  return (await use<KeptMessages | undefined>("messages", "readonly", (s) => s.get(id)))?.messages ?? []
}

/** keepMessages keeps the last messages of a conversation, and gives up the one that was not used for longest. */
export async function keepMessages(id: string, messages: readonly Message[]): Promise<void> {
  await use("messages", "readwrite", (s) => {
    s.put({ id, used: Date.now(), messages: messages.slice(-messagesKept) } satisfies KeptMessages)
    const all = s.index("used").getAllKeys()
    all.onsuccess = () => {
      for (const old of all.result.slice(0, -conversationsKept)) s.delete(old)
    }
  })
}

/** dropMessages gives up what is kept of conversations: those for which is is true. */
export async function dropMessages(is: (id: string) => boolean): Promise<void> {
  await use("messages", "readwrite", (s) => {
    const all = s.getAllKeys()
    all.onsuccess = () => {
      for (const id of all.result) if (is(String(id))) s.delete(id)
    }
  })
}

/** pagesKept begins the names of the caches in which the service worker keeps the page. */
export const pagesKept = "parley-page-"

/** forget gives up everything: somebody has signed out. */
export async function forget(): Promise<void> {
  await Promise.all([
    use("tree", "readwrite", (s) => { s.clear() }),
    use("messages", "readwrite", (s) => { s.clear() }),
    forgetPages(),
  ])
}

async function forgetPages(): Promise<void> {
  if (!("caches" in globalThis)) return // not on a secure line
  for (const name of await caches.keys()) if (name.startsWith(pagesKept)) await caches.delete(name)
}
