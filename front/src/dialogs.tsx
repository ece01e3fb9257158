// The dialog that is open.

import { close, asking } from "./panes"
import { ForwardDialog } from "./forward"
import { Jump } from "./jump"
import { KeysHelp } from "./keys"
import { AddPeople, NewConversation } from "./newconversation"
import { LaterDialog } from "./laterviews"
import { NewGroup } from "./newgroup"
import { NewTheme } from "./newtheme"
import { ReportDialog } from "./reportdialog"
import { SeenDialog } from "./seen"
import { QuietDialog } from "./quietdialog"
import { StatusDialog } from "./mine"
import { VersionsDialog } from "./versions"
import { ProgramDialog } from "./programs"
import { TaskDialog } from "./taskdialog"

/** Dialogs draws the dialog of panes.asking. */
export function Dialogs() {
  const open = asking.value
  switch (open?.what) {
    case "jump": return <Jump />
    case "keys": return <KeysHelp onClose={close} />
    case "status": return <StatusDialog onClose={close} />
    case "new conversation": return <NewConversation {...open} />
    case "add people": return <AddPeople {...open} />
    case "new group": return <NewGroup {...open} />
    case "quiet hours": return <QuietDialog />
    case "new theme": return <NewTheme {...open} />
    case "later": return <LaterDialog {...open} />
    case "report": return <ReportDialog {...open} />
    case "forward": return <ForwardDialog {...open} />
    case "seen": return <SeenDialog {...open} />
    case "versions": return <VersionsDialog {...open} />
    case "program": return <ProgramDialog {...open} />
    case "task": return <TaskDialog {...open} />
    default: return null
  }
}
