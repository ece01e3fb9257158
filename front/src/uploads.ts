// Files that are to go with the message that is being written. They are sent to the server while one writes.

import { signal, type Signal } from "@preact/signals"
import { detailOf, uploadFile } from "./api"
import { T } from "./i18n"
import { toast } from "./toast"
import type { FileRef } from "./types"

/** Attachment is a file of the message that is being written. */
export interface Attachment {
  id: number
  name: string
  type: string
  size: number
  /** file is there until the server has it. */
  file?: File
  /** preview is the address of a picture that is a file of this browser. */
  preview?: string | undefined
  state: "waiting" | "sending" | "ready" | "failed"
  /** share is how much has been sent, from 0 to 1. */
  share: Signal<number>
  ref?: FileRef | undefined
  error?: string | undefined
}

const most = 20 // files of one message
const atOnce = 2 // files that are sent at the same time

const all = new Map<string, Signal<readonly Attachment[]>>()
const cancels = new Map<number, AbortController>()
let last = 0

/** attachments are the files of the message that is being written in a conversation. */
export function attachments(conversation: string): Signal<readonly Attachment[]> {
  let list = all.get(conversation)
  if (!list) all.set(conversation, list = signal([]))
  return list
}

/** attach adds files, and begins to send them. */
export function attach(conversation: string, files: Iterable<File>): void {
  const list = attachments(conversation)
  const room = most - list.peek().length
  const added = [...files]
  if (added.length > room) toast(T("A message has {{.Max}} files at most.", { Max: most }), { error: true })
  list.value = [...list.peek(), ...added.slice(0, Math.max(0, room)).map((file) => ({
    id: ++last,
    name: file.name,
    type: file.type,
    size: file.size,
    file,
    preview: isPicture(file.type) ? URL.createObjectURL(file) : undefined,
    state: "waiting" as const,
    share: signal(0),
  }))]
  proceed()
}

/** attachAgain adds files that the server has already. */
export function attachAgain(conversation: string, refs: readonly FileRef[]): void {
  const list = attachments(conversation)
  list.value = [...list.peek(), ...refs.map((ref) => ({
    id: ++last,
    name: ref.name,
    type: ref.type ?? "",
    size: ref.size ?? 0,
    state: "ready" as const,
    share: signal(1),
    ref,
  }))]
}

/** detach takes a file away, and stops sending it. */
export function detach(conversation: string, id: number): void {
  const list = attachments(conversation)
  cancels.get(id)?.abort()
  for (const a of list.peek()) if (a.id === id && a.preview) URL.revokeObjectURL(a.preview)
  list.value = list.peek().filter((a) => a.id !== id)
  proceed()
}

/** again sends a file that could not be sent. */
export function again(conversation: string, id: number): void {
  change(conversation, id, { state: "waiting", error: undefined })
  proceed()
}

/** takeFiles gives the files that the server has, for a message, and leaves none. */
export function takeFiles(conversation: string): FileRef[] {
  const list = attachments(conversation)
  const refs: FileRef[] = []
  for (const a of list.peek()) {
    if (a.ref) refs.push(a.ref)
    if (a.preview) URL.revokeObjectURL(a.preview)
  }
  list.value = []
  return refs
}

/** isPicture says whether browsers show files of a type as a picture. SVG is left out: it is a document. */
export function isPicture(type: string | undefined): boolean {
  return /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/i.test(type ?? "")
}

function change(conversation: string, id: number, to: Partial<Attachment>): void {
  const list = attachments(conversation)
  list.value = list.peek().map((a) => a.id === id ? { ...a, ...to } : a)
}

/** proceed sends the next files that wait, of all conversations. */
function proceed(): void {
  for (const [conversation, list] of all) {
    for (const a of list.peek()) {
      if (cancels.size >= atOnce) return
      if (a.state === "waiting") void upload(conversation, a)
    }
  }
}

async function upload(conversation: string, a: Attachment): Promise<void> {
  const { file } = a
  if (!file) return
  const cancel = new AbortController()
  cancels.set(a.id, cancel)
  change(conversation, a.id, { state: "sending" })
  a.share.value = 0
  try {
    const [ref, size] = await Promise.all([
      uploadFile(file, (share) => { a.share.value = share }, cancel.signal),
      measure(file),
    ])
    change(conversation, a.id, { state: "ready", ref: { ...ref, ...size } })
  } catch (err) {
    if (!cancel.signal.aborted) change(conversation, a.id, { state: "failed", error: detailOf(err) })
  } finally {
    cancels.delete(a.id)
    proceed()
  }
}

/** measure gives the size of a picture or a video, so that others can leave room for it before they load it. */
async function measure(file: File): Promise<{ width: number; height: number } | undefined> {
  try {
    if (isPicture(file.type)) {
      const picture = await createImageBitmap(file)
      const { width, height } = picture
      picture.close()
      return { width, height }
    }
    if (file.type.startsWith("video/")) return await measureVideo(file)
  } catch {
    // It goes without.
  }
  return undefined
}

function measureVideo(file: File): Promise<{ width: number; height: number } | undefined> {
  return new Promise((resolve) => {
    const video = document.createElement("video")
    const address = URL.createObjectURL(file)
    const done = (size?: { width: number; height: number }) => {
      clearTimeout(timer)
      URL.revokeObjectURL(address)
      resolve(size)
    }
    const timer = setTimeout(done, 5000)
    video.preload = "metadata"
    video.onloadedmetadata = () => {
      const { videoWidth: width, videoHeight: height } = video
      done(width ? { width, height } : undefined)
    }
    video.onerror = () => done()
    video.src = address
  })
}

// Files are kept by this tab only: it asks before it goes.
addEventListener("beforeunload", (e) => {
  for (const list of all.values()) if (list.peek().length) e.preventDefault()
})
