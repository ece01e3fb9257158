// Creating a group: what it is called, who can find it, its first members and themes.

import { useEffect, useId, useState } from "preact/hooks"
import { call, detailOf, Problem } from "./api"
import { ColleaguePicker } from "./colleaguepicker"
import { Failure, Text } from "./fields"
import { T } from "./i18n"
import { close } from "./panes"
import type { Choice } from "./picker"
import { go } from "./route"
import { fetchOne } from "./store"
import { toast } from "./toast"
import { Dialog } from "./ui"

/** kinds are the kinds of groups (org/kinds.go), with what they mean. */
const kinds = (): readonly { kind: string; name: string; about: string }[] => [
  { kind: "private", name: T("group private"), about: T("about private") },
  { kind: "public", name: T("group public"), about: T("about public") },
  { kind: "request", name: T("group request"), about: T("about request") },
  { kind: "announcement", name: T("group announcement"), about: T("about announcement") },
  { kind: "large", name: T("group large"), about: T("about large") },
  { kind: "federated", name: T("group federated"), about: T("about federated") },
]

/** Wanted is what was written into the dialog. */
interface Wanted {
  name: string
  description: string
  kind: string
  people: readonly Choice[]
  themes: string
  photo?: File | undefined
}

/** NewGroup is the dialog. people are its first members. */
export function NewGroup({ people = [] }: { people?: readonly Choice[] }) {
  const [wanted, setWanted] = useState<Wanted>({ name: "", description: "", kind: "private", people, themes: "" })
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const set = (part: Partial<Wanted>) => setWanted((w) => ({ ...w, ...part }))
  const known = about(problem, "name") ?? about(problem, "description")
  const submit = async () => {
    if (busy || !wanted.name.trim()) return
    setBusy(true)
    try {
      await create(wanted)
      close()
    } catch (err) {
      setProblem(err)
      setBusy(false)
    }
  }
  return (
    <Dialog title={T("New group")} wide onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" disabled={busy || !wanted.name.trim()}>{T("Create the group")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem === undefined || known ? "" : detailOf(problem)} />
      <Text label={T("Name")} value={wanted.name} onInput={(name) => set({ name })} max={100} first
        wrong={about(problem, "name")} />
      <Text label={T("Description")} value={wanted.description} onInput={(description) => set({ description })}
        max={2000} rows={2} optional wrong={about(problem, "description")} />
      <Kinds kind={wanted.kind} onKind={(kind) => set({ kind })} />
      <Photo photo={wanted.photo} onPhoto={(photo) => set({ photo })} />
      <fieldset>
        <legend>{T("First members")}</legend>
        <ColleaguePicker chosen={wanted.people} onChosen={(people) => set({ people })} />
      </fieldset>
      <Text label={T("Themes to begin with")} value={wanted.themes} onInput={(themes) => set({ themes })} rows={3}
        optional hint={T("One on each line. Everyone can start more later.")} />
    </Dialog>
  )
}

function Kinds({ kind, onKind }: { kind: string; onKind: (kind: string) => void }) {
  return (
    <fieldset>
      <legend>{T("Kind of group")}</legend>
      <div class="kinds">
        {kinds().map((k) => (
          <label key={k.kind} class="check kind">
            <input type="radio" name="kind" checked={k.kind === kind} onChange={() => onKind(k.kind)} />
            <span><b>{k.name}</b><small>{k.about}</small></span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

const pictures = "image/png,image/jpeg,image/gif,image/webp"
const maxPhoto = 8 << 20 // bytes, as the pages take

/** Photo lets one choose the group's picture, and shows what is chosen. */
function Photo({ photo, onPhoto }: { photo: File | undefined; onPhoto: (photo: File | undefined) => void }) {
  const id = useId()
  const [shown, setShown] = useState("")
  useEffect(() => {
    if (!photo) return setShown("")
    const at = URL.createObjectURL(photo)
    setShown(at)
    return () => URL.revokeObjectURL(at)
  }, [photo])
  const choose = (chosen: File | undefined) => {
    if (chosen && chosen.size > maxPhoto) toast(T("This is too large."), { error: true })
    else onPhoto(chosen)
  }
  return (
    <div class="field">
      <label for={id}>{T("Photo")}<span class="optional"> {T("(optional)")}</span></label>
      {shown && <img class="new-photo" src={shown} alt="" width={64} height={64} />}
      <input id={id} type="file" accept={pictures} onChange={(e) => choose(e.currentTarget.files?.[0])} />
    </div>
  )
}

/** encoded gives a file's content in base64. */
function encoded(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
}

/** about is what the server says of a field. */
function about(problem: unknown, field: string): string | undefined {
  if (!(problem instanceof Problem)) return undefined
  return problem.errors.find((e) => e.location.split(".").at(-1) === field)?.message
}

const mostAtOnce = 1000 // people in one request

/** create makes the group, then adds people and themes. Once the group is there, it only tells what fails. */
async function create(w: Wanted): Promise<void> {
  const group = await call<{ slug: string; room: string }>("POST", "/groups", {
    name: w.name.trim(),
    kind: w.kind,
    ...(w.description.trim() ? { description: w.description.trim() } : {}),
  })
  const path = `/groups/${encodeURIComponent(group.slug)}`
  const also = async (act: Promise<unknown>) => {
    await act.catch((err: unknown) => toast(T("The group is created, but: {{.Problem}}", { Problem: detailOf(err) }),
      { error: true }))
  }
  const photo = w.photo
  if (photo) await also(encoded(photo).then((image) => call("PUT", path + "/photo", { image })))
  for (let i = 0; i < w.people.length; i += mostAtOnce) {
    const members = w.people.slice(i, i + mostAtOnce).map((p) => p.id)
    await also(call("POST", path + "/members", { members, role: "member" }))
  }
  for (const name of w.themes.split("\n").map((line) => line.trim()).filter(Boolean)) {
    await also(call("POST", path + "/themes", { name }))
  }
  await also(fetchOne(group.room))
  go({ view: "conversation", conversation: group.room })
}
