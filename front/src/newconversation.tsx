// Writing to a colleague.

import { T } from "./i18n"
import { close } from "./panes"
import { colleagues } from "./people"
import { go } from "./route"
import { me } from "./store"
import { Dialog, Picker } from "./ui"

/** NewConversation asks for the colleague to write to. */
export function NewConversation() {
  return (
    <Dialog title={T("New conversation")} onClose={close}>
      <p class="muted">{T("To whom do you want to write?")}</p>
      <Picker label={T("Find a colleague")} load={(words, cancel) => colleagues(words, cancel, [me.peek().address])}
        onPick={(c) => {
          close()
          go({ view: "conversation", conversation: c.id })
        }} />
    </Dialog>
  )
}
