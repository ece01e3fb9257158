// Starting a theme: a conversation about one thing, in a group.

import { useState } from "preact/hooks"
import { call, detailOf } from "./api"
import { draft } from "./drafts"
import { T } from "./i18n"
import { asking, close } from "./panes"
import { colleagues } from "./people"
import type { Choice } from "./picker"
import { go } from "./route"
import { conversations, fetchOne, me } from "./store"
import { Dialog, Picker } from "./ui"
import { Failure, Text } from "./fields"

/** newTheme asks for a name and starts a theme in a group, given by its slug. draft is put into its composer. */
export function newTheme(group: string, opts: { name?: string; draft?: string } = {}): void {
  asking.value = { what: "new theme", group, name: opts.name ?? "", draft: opts.draft ?? "" }
}

/** createTheme starts a theme and opens it. It throws a Problem. */
export async function createTheme(group: string, name: string,
  opts: { people?: readonly string[]; draft?: string } = {}): Promise<void> {
  const body = { name, ...(opts.people ? { restricted: true, people: opts.people } : {}) }
  const theme = await call<{ room: string }>("POST", `/groups/${encodeURIComponent(group)}/themes`, body)
  if (opts.draft) draft(theme.room).value = opts.draft
  await fetchOne(theme.room)
  go({ view: "conversation", conversation: theme.room })
}

/** NewTheme is the dialog. */
export function NewTheme({ group, name: proposed, draft: text }: { group: string; name: string; draft: string }) {
  const [name, setName] = useState(proposed)
  const [restricted, setRestricted] = useState(false)
  const [people, setPeople] = useState<readonly Choice[]>([])
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const parent = [...conversations.value.values()].find((c) => c.group === group && c.kind === "group")
  const submit = async () => {
    if (busy || !name.trim()) return
    setBusy(true)
    try {
      await createTheme(group, name.trim(), { draft: text, ...(restricted ? { people: people.map((p) => p.id) } : {}) })
      close()
    } catch (err) {
      setProblem(detailOf(err))
      setBusy(false)
    }
  }
  return (
    <Dialog title={parent ? T("New theme in {{.Group}}", { Group: parent.name }) : T("New theme")} onClose={close}
      onSubmit={() => void submit()} foot={<>
        <button class="primary" disabled={busy || !name.trim()}>{T("Start the theme")}</button>
        <button type="button" onClick={close}>{T("Cancel")}</button>
      </>}>
      <Failure text={problem} />
      <Text label={T("Name")} value={name} onInput={setName} max={100} first
        hint={T("What it is about: a customer, a project, a question.")} />
      <label class="check">
        <input type="checkbox" checked={restricted} onChange={(e) => setRestricted(e.currentTarget.checked)} />
        <span>{T("Only for chosen people")}</span>
      </label>
      {restricted && (
        <Picker label={T("Find a colleague")} chosen={people} onChosen={setPeople}
          load={(words, cancel) => colleagues(words, cancel, [me.peek().address])} />
      )}
    </Dialog>
  )
}
