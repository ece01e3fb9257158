// How the connection is, where it is not as it should be.

import { useEffect, useRef, useState } from "preact/hooks"
import { T } from "./i18n"
import { outbox } from "./outbox"
import { place } from "./route"
import { line } from "./store"
import { Icon } from "./ui"

/** LineState says that there is no connection, and what becomes of what is written meanwhile. */
export function LineState() {
  const now = line.value
  const slow = useLater(now === "connecting", 2000)
  const back = useBack(now)
  const waiting = outbox.value.filter((p) => p.error === undefined).length
  return (
    <div role="status">
      {now === "signedout" ? <SignedOut />
        : now === "offline" ? (
          <div class="line-state offline">
            <Icon name="wifi-off" />
            <span>{waiting ? T("No connection. {{.Count}} messages wait to be sent.", { Count: waiting })
              : T("No connection. What you write is sent when it is back.")}</span>
          </div>
        ) : slow ? <div class="line-state"><Icon name="refresh-cw" /><span>{T("Connecting …")}</span></div>
          : back ? <div class="line-state caught-up"><Icon name="circle-check" /><span>{T("Up to date")}</span></div>
            : null}
    </div>
  )
}

function SignedOut() {
  void place.value // the address that one comes back to
  const back = location.pathname + location.search
  return (
    <div class="line-state offline">
      <Icon name="log-out" />
      <span class="grow">
        {T("You are signed out. What you have written is kept here.")}
        {" "}
        <a href={"/login?back=" + encodeURIComponent(back)}>{T("Sign in again")}</a>
      </span>
    </div>
  )
}

/** useLater is true once on has been true for some time. */
function useLater(on: boolean, ms: number): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!on) return
    const timer = setTimeout(() => setLate(true), ms)
    return () => clearTimeout(timer)
  }, [on])
  return on && late
}

/** useBack is true for a few seconds after the line is back. */
function useBack(now: typeof line.value): boolean {
  const was = useRef(false)
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (now === "offline") was.current = true
    if (now !== "online" || !was.current) return
    was.current = false
    setShown(true)
    const timer = setTimeout(() => setShown(false), 3000)
    return () => clearTimeout(timer)
  }, [now])
  return shown && now === "online"
}
