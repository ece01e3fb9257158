// Writing to a colleague, or to several at once.

import { useState } from "preact/hooks"
import { at, call, detailOf } from "./api"
import { boot } from "./boot"
import { Failure, Text } from "./fields"
import { T } from "./i18n"
import { settle } from "./late"
import { asking, close } from "./panes"
import { colleagues } from "./people"
import type { Choice } from "./picker"
import { go } from "./route"
import { most } from "./several"
import { conversations, me, putAnswer } from "./store"
import type { Conversation } from "./types"
import { Dialog, Icon, Picker } from "./ui"

const open = (id: string) => {
  close()
  go({ view: "conversation", conversation: id })
}

/** NewConversation asks for the colleague to write to, or for several. people are chosen already. */
export function NewConversation({ people }: { people?: readonly Choice[] }) {
  const [chosen, setChosen] = useState(people)
  if (chosen) return <WithSeveral chosen={chosen} onChosen={setChosen} />
  return (
    <Dialog title={T("New conversation")} onClose={close}>
      <p class="muted">{T("To whom do you want to write?")}</p>
      {boot.several && (
        <p class="several-switch">
          <button type="button" class="link" onClick={() => setChosen([])}>
            <Icon name="users" /> {T("To several people")}
          </button>
        </p>
      )}
      <Picker label={T("Find a colleague")} load={(words, cancel) => colleagues(words, cancel, [me.peek().address])}
        onPick={(c) => open(c.id)} />
    </Dialog>
  )
}

/** useAct does something once, and has why it did not work. */
function useAct(act: () => Promise<void>): { busy: boolean; problem: string; run: () => void } {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const run = () => {
    if (busy) return
    setBusy(true)
    act().catch((err: unknown) => {
      setProblem(detailOf(err))
      setBusy(false)
    })
  }
  return { busy, problem, run }
}

function WithSeveral({ chosen, onChosen }: {
  chosen: readonly Choice[]
  onChosen: (chosen: readonly Choice[]) => void
}) {
  const [name, setName] = useState("")
  const one = chosen.length === 1 ? chosen[0] : undefined
  const { busy, problem, run } = useAct(async () => {
    if (one) return open(one.id)
    const asked = call<Conversation>("POST", "/conversations",
      { people: chosen.map((p) => p.id), ...(name.trim() ? { name: name.trim() } : {}) })
    const c = await settle(asked, putAnswer)
    open(c.id)
  })
  const many = chosen.length >= most
  const ready = !busy && !many && chosen.length > 0
  return (
    <Dialog title={T("New conversation")} onClose={close} onSubmit={() => { if (ready) run() }} foot={<>
      <button class="primary" disabled={!ready}>{T("Write")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem} />
      <p class="muted">{T("With the same people you come back to the same conversation.")}</p>
      <Picker label={T("Find a colleague")} chosen={chosen} onChosen={onChosen}
        load={(words, cancel) => colleagues(words, cancel, [me.peek().address], 50)} />
      {many && <TooMany people={chosen} />}
      {chosen.length > 1 && !many && (
        <Text label={T("Name")} value={name} onInput={setName} max={100} optional
          hint={T("Without one, everyone sees the names of the others.")} />
      )}
    </Dialog>
  )
}

/** TooMany leads to a group for people who are too many for a conversation. */
function TooMany({ people }: { people: readonly Choice[] }) {
  return (
    <div class="alert" role="status">
      <Icon name="info" />
      <div class="grow">{T("A conversation without a group has at most {{.Max}} people.", { Max: most })}</div>
      {boot.creates !== false && (
        <button type="button" class="small-button" onClick={() => { asking.value = { what: "new group", people } }}>
          {T("Make a group")}
        </button>
      )}
    </div>
  )
}

/** AddPeople adds colleagues to a conversation of several. */
export function AddPeople({ conversation }: { conversation: string }) {
  const [chosen, setChosen] = useState<readonly Choice[]>([])
  const c = conversations.value.get(conversation)
  const there = c?.people ?? []
  const { busy, problem, run } = useAct(async () => {
    await settle(call<Conversation>("POST", at(conversation, "people"), { people: chosen.map((p) => p.id) }), putAnswer)
    close()
  })
  const many = chosen.length + there.length >= most
  const ready = !busy && !many && chosen.length > 0
  const all: readonly Choice[] = [...there, ...chosen]
  return (
    <Dialog title={T("Add people")} onClose={close} onSubmit={() => { if (ready) run() }} foot={<>
      <button class="primary" disabled={!ready}>{T("Add")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem} />
      <p class="muted">{T("They read what is written from now on, not what was written before.")}</p>
      <Picker label={T("Find a colleague")} chosen={chosen} onChosen={setChosen}
        load={(words, cancel) => colleagues(words, cancel, [me.peek().address, ...there.map((p) => p.id)], 50)} />
      {many && <TooMany people={all} />}
    </Dialog>
  )
}
