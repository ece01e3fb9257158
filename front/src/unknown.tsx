// A conversation that is not in the list: with a colleague one has not written to, or one that cannot be opened.

import { useEffect, useState } from "preact/hooks"
import { detailOf, Problem } from "./api"
import { T } from "./i18n"
import { href } from "./route"
import { fetchOne } from "./store"
import { Icon } from "./ui"

/** Unknown loads a conversation; the page draws it once it is known. Otherwise it says what can be done. */
export function Unknown({ id }: { id: string }) {
  const [problem, setProblem] = useState<unknown>()
  const load = () => {
    setProblem(undefined)
    fetchOne(id).catch(setProblem)
  }
  useEffect(load, [id])
  if (!problem) return <p class="muted waiting" role="status">{T("Loading …")}</p>
  const passing = problem instanceof Problem && problem.passing
  return (
    <div class="empty" role="alert">
      <Icon name="circle-alert" />
      <h2>{T("This conversation cannot be opened")}</h2>
      <p dir="auto">{detailOf(problem)}</p>
      {!passing && <p>{T("It may have been deleted, or you are not in it any more.")}</p>}
      {passing ? <button onClick={load}><Icon name="refresh-cw" />{T("Try again")}</button>
        : <a class="button" href={href({ view: "home" })}>{T("Back to the conversations")}</a>}
    </div>
  )
}
