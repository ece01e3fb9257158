// The chat in the browser: it draws the state, and keeps it up by the server's events.

import { render } from "preact"
import "./shell.css"
import { apply, start } from "./apply"
import { watchDrafts } from "./draftsync"
import { listen } from "./events"
import { watchCurrent } from "./history"
import { watchIdle } from "./idle"
import { watchScheduled } from "./later"
import { restore, watchKept } from "./offline"
import { watchOutbox } from "./outbox"
import { watchPush } from "./push"
import { watchAddress } from "./route"
import { Shell } from "./shell"
import { watchSidebar } from "./sidebar"
import { watchTree } from "./treemodel"

watchAddress()
void restore()
listen(apply)
start()
watchCurrent()
watchTree()
watchOutbox()
watchIdle()
watchKept()
watchPush()
watchScheduled()
watchSidebar()
watchDrafts()
const root = document.getElementById("front")
root?.replaceChildren()
if (root) render(<Shell />, root)
