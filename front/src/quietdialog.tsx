// Quiet hours: when one is not to be disturbed, by schedule.

import { useEffect, useState } from "preact/hooks"
import { call, detailOf } from "./api"
import { Failure } from "./fields"
import { lang, T } from "./i18n"
import { close } from "./panes"
import { toast } from "./toast"
import { Dialog } from "./ui"

/** QuietHours are one's own, as the server has them. */
interface QuietHours { on: boolean; from: string; to: string; days: string[]; time_zone: string; paused_until?: string }

const week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

/** dayText names a day of the week. The 1st of January 2024 was a Monday. */
function dayText(day: string): string {
  return new Intl.DateTimeFormat(lang, { weekday: "short" }).format(new Date(2024, 0, 1 + week.indexOf(day)))
}

/** QuietDialog shows and changes the quiet hours. */
export function QuietDialog() {
  const [hours, setHours] = useState<QuietHours>()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  useEffect(() => {
    call<QuietHours>("GET", "/me/quiet-hours").then(setHours, (err) => setProblem(detailOf(err)))
  }, [])
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  const set = (to: Partial<QuietHours>) => hours && setHours({ ...hours, ...to })
  const submit = async () => {
    if (busy || !hours) return
    setBusy(true)
    try {
      const { on, from, to, days, time_zone } = hours
      await call("PATCH", "/me/quiet-hours", { on, from, to, days, time_zone: time_zone || here })
      toast(on ? T("You are not disturbed during these hours.") : T("Quiet hours are off."))
      close()
    } catch (err) {
      setProblem(detailOf(err))
      setBusy(false)
    }
  }
  return (
    <Dialog title={T("Quiet hours")} onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" disabled={busy || !hours}>{T("Save")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem} />
      {!hours && !problem && <p class="muted" role="status">{T("Loading …")}</p>}
      {hours && <>
        <label class="check">
          <input type="checkbox" data-autofocus checked={hours.on}
            onChange={(e) => set({ on: e.currentTarget.checked })} />
          <span>{T("Do not disturb me during these hours")}
            <small>
              {T("Nothing notifies you, and while you chat in the browser others see “do not disturb”.")}
            </small></span>
        </label>
        <fieldset class="field task-due" disabled={!hours.on}>
          <legend>{T("Hours")}</legend>
          <input type="time" required aria-label={T("They begin at")} value={hours.from}
            onInput={(e) => set({ from: e.currentTarget.value })} />
          <input type="time" required aria-label={T("They end at")} value={hours.to}
            onInput={(e) => set({ to: e.currentTarget.value })} />
          <p class="hint">{T("On the next day if it is not later than the start")}</p>
        </fieldset>
        <fieldset class="field quiet-days" disabled={!hours.on}>
          <legend>{T("They begin on")}</legend>
          {week.map((day) => (
            <label key={day} class="check">
              <input type="checkbox" checked={hours.days.includes(day)}
                onChange={(e) => set({ days: week.filter((d) => d === day ? e.currentTarget.checked
                  : hours.days.includes(d)) })} />
              <span>{dayText(day)}</span>
            </label>
          ))}
        </fieldset>
        <p class="hint">{T("Time zone: {{.Zone}}", { Zone: hours.time_zone || here })}{hours.time_zone && hours.time_zone !== here && (
          <> <button type="button" class="link" onClick={() => set({ time_zone: here })}>
            {T("Use {{.Zone}}", { Zone: here })}</button></>
        )}</p>
      </>}
    </Dialog>
  )
}
