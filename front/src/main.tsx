// The chat in the browser: it draws the state, and keeps it up by the server's events.

import { render } from "preact"
import "./shell.css"
import { T } from "./i18n"
import { Picker, Dialog, Menu } from "./ui"
import { history } from "./state"

console.log(history, Picker, Dialog, Menu)
const root = document.getElementById("app")
if (root) render(<p>{T("Loading …")}</p>, root)
