// Oneself, at the bottom of the side: picture, status, and the way to one's own pages.

import { useState } from "preact/hooks"
import { setStatus } from "./acts"
import { boot } from "./boot"
import { unsaved } from "./draftsync"
import { Text } from "./fields"
import { T } from "./i18n"
import type { MenuItem } from "./menu"
import { showsPreviews } from "./links"
import { outbox } from "./outbox"
import { asking } from "./panes"
import { pushing, startPushing, stopPushing } from "./push"
import { me } from "./store"
import type { Status } from "./types"
import { Avatar, Dialog, Icon, Menu, showText, statusText } from "./ui"

/** Mine shows oneself, with a menu. */
export function Mine() {
  const own = me.value
  const status = own.status ?? { show: "available" }
  return (
    <div class="me-bar">
      <Menu label={T("Status and account")} items={items} class="quiet whoami">
        <Avatar id={own.address} name={own.name} photo={own.photo} status={status} />
        <span class="grow">
          <b dir="auto">{own.name}</b>
          <small class="muted" dir="auto">
            {own.quiet && <><Icon name="moon" /> <span>{T("Quiet hours")}</span> · </>}{statusText(status)}
          </small>
        </span>
      </Menu>
      <button class="quiet icon-button" aria-label={T("Keyboard shortcuts")} title={T("Keyboard shortcuts")}
        onClick={() => { asking.value = { what: "keys" } }}>
        <Icon name="keyboard" />
      </button>
    </div>
  )
}

function items(): MenuItem[] {
  const now = me.peek().status?.show ?? "available"
  const be = (show: Status["show"], icon: string): MenuItem =>
    ({ label: showText(show), icon, checked: show === now, do: () => void setStatus({ show }) })
  return [
    be("available", "circle-check"),
    be("away", "clock"),
    be("dnd", "circle-minus"),
    { label: T("Set a status …"), icon: "pencil", do: () => { asking.value = { what: "status" } } },
    { label: T("Quiet hours …"), icon: "moon", detail: T("Do not disturb, by schedule"),
      do: () => { asking.value = { what: "quiet hours" } } },
    { label: T("My profile"), icon: "user", line: true, do: () => location.assign("/me") },
    ...notified(),
    ...previews(),
    { label: T("Notifications"), icon: "settings", do: () => location.assign("/me/notifications") },
    { label: T("Saved replies and contacts"), icon: "text-quote", do: () => location.assign("/me/saved") },
    { label: T("Home"), icon: "house", do: () => location.assign("/") },
    { label: T("Chat with end-to-end encryption (OMEMO)"), icon: "lock", do: () => location.assign("/chat/converse") },
    ...(boot.links ?? []).map((l, i): MenuItem => ({
      label: l.name, icon: l.icon, line: i === 0, do: () => void window.open(l.url, "_blank", "noopener,noreferrer"),
    })),
    { label: T("Sign out"), icon: "log-out", line: true, do: () => void signOut() },
  ]
}

/** previews hides the previews of links and shows them again, where the organization has them. */
function previews(): MenuItem[] {
  if (!boot.previews) return []
  const shown = showsPreviews.peek()
  return [{
    label: shown ? T("Hide previews of links") : T("Show previews of links"),
    icon: "link",
    do: () => { showsPreviews.value = !shown },
  }]
}

/** notified turns the notifications of this device on and off. */
function notified(): MenuItem[] {
  switch (pushing.peek()) {
    case "unable": return []
    case "forbidden": return [{
      label: T("Notify me on this device"),
      detail: T("The browser forbids it."),
      icon: "bell-off",
      disabled: true,
      line: true,
      do: () => undefined,
    }]
    case "off":
      return [{ label: T("Notify me on this device"), icon: "bell", line: true, do: () => void startPushing() }]
    case "on":
      return [{
        label: T("Stop notifying me on this device"), icon: "bell-off", line: true, do: () => void stopPushing(),
      }]
  }
}

/** signOut ends the session. The server has the browser forget what it keeps, so one is asked if something waits. */
function signOut(): void {
  const waits = outbox.peek().length + unsaved().length
  const question = T("{{.Count}} messages that are not sent will be lost. Sign out all the same?", { Count: waits })
  if (waits && !confirm(question)) return
  const form = document.createElement("form")
  form.method = "post"
  form.action = "/logout"
  document.body.append(form)
  form.submit()
}

/** ends are the times after which a status ends by itself. */
const ends = (): readonly { label: string; end: () => Date | undefined }[] => [
  { label: T("Until I change it"), end: () => undefined },
  { label: T("For 30 minutes"), end: () => new Date(Date.now() + 30 * 60_000) },
  { label: T("For an hour"), end: () => new Date(Date.now() + 60 * 60_000) },
  { label: T("For 4 hours"), end: () => new Date(Date.now() + 4 * 60 * 60_000) },
  { label: T("Until tonight"), end: () => atHour(0, 18) },
  { label: T("Until tomorrow morning"), end: () => atHour(1, 8) },
]

function atHour(daysAhead: number, hour: number): Date {
  const d = new Date()
  d.setDate(d.getDate() + daysAhead)
  d.setHours(hour, 0, 0, 0)
  if (d.getTime() <= Date.now()) d.setDate(d.getDate() + 1)
  return d
}

/** StatusDialog asks for a status with a text and an end. */
export function StatusDialog({ onClose }: { onClose: () => void }) {
  const now = me.peek().status
  const [show, setShow] = useState<Status["show"]>(now?.show === "offline" ? "available" : now?.show ?? "available")
  const [text, setText] = useState(now?.text ?? "")
  const [end, setEnd] = useState(0)
  const save = () => {
    const until = ends()[end]?.end()
    const status: Status = { show }
    if (text.trim()) status.text = text.trim()
    if (until) status.until = until.toISOString()
    void setStatus(status)
    onClose()
  }
  const shows: readonly Status["show"][] = ["available", "away", "dnd"]
  return (
    <Dialog title={T("Your status")} onClose={onClose} onSubmit={save} foot={<>
      <button class="primary">{T("Save")}</button>
      <button type="button" onClick={onClose}>{T("Cancel")}</button>
    </>}>
      <fieldset>
        <legend>{T("Availability")}</legend>
        {shows.map((s) => (
          <label key={s} class="check">
            <input type="radio" name="show" checked={s === show} onChange={() => setShow(s)} />
            <span>{showText(s)}{s === "dnd" && <small>{T("Nothing notifies you.")}</small>}</span>
          </label>
        ))}
      </fieldset>
      <Text label={T("Text")} value={text} onInput={setText} max={200} first optional
        hint={T("In a meeting, on holiday, working on the report …")} />
      <div class="field">
        <label for="status-end">{T("How long")}</label>
        <select id="status-end" value={end} onChange={(e) => setEnd(Number(e.currentTarget.value))}>
          {ends().map((e, i) => <option key={i} value={i}>{e.label}</option>)}
        </select>
      </div>
    </Dialog>
  )
}
