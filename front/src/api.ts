// Calls of the server's API (docs/api.md), with the session of the page.

import { signal } from "@preact/signals"
import { T } from "./i18n"
import type { FileRef } from "./types"

const base = "/api/v1"

/** sessionOver is true once the server says that the session has ended. */
export const sessionOver = signal(false)

/** Problem is a refusal or a failure. detail can be shown to people. status is 0 if no answer came. */
export class Problem extends Error {
  constructor(readonly status: number, readonly detail: string,
    readonly errors: readonly { location: string; message: string }[] = []) {
    super(detail)
    this.name = "Problem"
  }

  /** passing says whether the same call may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 401 || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

/** detailOf says what to show people of an error of any kind. */
export function detailOf(err: unknown): string {
  return err instanceof Problem ? err.detail : T("Something went wrong. Try again.")
}

/** at gives the path of a conversation's operations. */
export function at(conversation: string, ...rest: string[]): string {
  return ["/conversations", conversation, ...rest].map((part, i) => i === 0 ? part : encodeURIComponent(part)).join("/")
}

/** query writes parameters; undefined and empty ones are left out. */
export function query(params: Record<string, string | number | undefined>): string {
  const out = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") out.set(name, String(value))
  }
  const text = out.toString()
  return text && "?" + text
}

const usualPatience = 60_000

/**
 * call calls an operation. It gives the answer, undefined where there is nothing to say, or throws a Problem; also if
 * there is no answer for patience ms: a line that is dead without having ended would be waited for without an end.
 */
export async function call<T>(method: string, path: string, body?: unknown, cancel?: AbortSignal,
  patience = usualPatience): Promise<T> {
  const late = AbortSignal.timeout(patience)
  let answer: Response
  try {
    answer = await fetch(base + path, {
      method,
      headers: body === undefined ? { Accept: "application/json" }
        : { Accept: "application/json", "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: cancel ? AbortSignal.any([cancel, late]) : late,
    })
  } catch (err) {
    if (cancel?.aborted) throw err
    throw new Problem(0, T("The server cannot be reached. Check your connection."))
  }
  if (!answer.ok) throw await problem(answer.status, () => answer.json())
  if (answer.status === 204) return undefined as T
  try {
    return await answer.json() as T
  } catch {
    throw new Problem(0, T("The server's answer could not be read. Try again."))
  }
}

let asking = false

/** askSession finds out whether the session is over: one operation that wants more than a session is no sign of it. */
async function askSession(): Promise<void> {
  if (asking) return
  asking = true
  const headers = { "Content-Type": "application/json" }
  const answer = await fetch(base + "/events/confirm", { method: "POST", headers, body: `{"last":""}` })
    .catch(() => undefined)
  asking = false
  if (answer?.status === 401) sessionOver.value = true
}

/** problem makes a Problem of an answer, and notes the end of the session. */
async function problem(status: number, read: () => Promise<unknown>): Promise<Problem> {
  if (status === 401) void askSession()
  const said = await read().catch(() => undefined) as Partial<Problem> | undefined
  return new Problem(status, said?.detail || usual(status), said?.errors ?? [])
}

function usual(status: number): string {
  switch (status) {
    case 401: return T("You are signed out.")
    case 403: return T("You may not do this.")
    case 404: return T("This is not there any more.")
    case 413: return T("This is too large.")
    case 429: return T("Too much at once. Wait a moment.")
    default: return T("Something went wrong. Try again.")
  }
}

/**
 * uploadFile sends a file to the server. onProgress gets the share that is sent, from 0 to 1. It throws a Problem, or
 * an AbortError after cancel.
 */
export function uploadFile(file: File, onProgress: (share: number) => void, cancel: AbortSignal): Promise<FileRef> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new DOMException("aborted", "AbortError"))
    if (cancel.aborted) return aborted()
    // Fetch cannot say how much of a body is sent.
    const request = new XMLHttpRequest()
    request.open("POST", base + "/files" + query({ name: file.name, type: file.type }))
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream")
    request.upload.onprogress = (e) => e.lengthComputable && onProgress(e.loaded / e.total)
    request.onabort = aborted
    request.onerror = () => reject(new Problem(0, T("The server cannot be reached. Check your connection.")))
    request.onload = () => {
      const read = async (): Promise<unknown> => JSON.parse(request.responseText)
      if (request.status < 200 || request.status > 299) {
        void problem(request.status, read).then(reject)
      } else {
        read().then((ref) => resolve(ref as FileRef),
          () => reject(new Problem(0, T("The server's answer could not be read. Try again."))))
      }
    }
    cancel.addEventListener("abort", () => request.abort(), { once: true })
    request.send(file)
  })
}
