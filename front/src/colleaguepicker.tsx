// Choosing many colleagues: by their names, or all of a department or a team.

import { useEffect, useId, useState } from "preact/hooks"
import { T } from "./i18n"
import { colleagues, parts, type Part } from "./people"
import { Picker, type Choice } from "./picker"
import { me } from "./store"

/** ColleaguePicker is a picker of many colleagues, which can be of one department or team only. */
export function ColleaguePicker({ chosen, onChosen }: {
  chosen: readonly Choice[]
  onChosen: (chosen: readonly Choice[]) => void
}) {
  const id = useId()
  const [among, setAmong] = useState("")
  const [all, setAll] = useState<{ departments: Part[]; teams: Part[] }>({ departments: [], teams: [] })
  useEffect(() => {
    // Without them one finds people by their names.
    parts().then(setAll, () => undefined)
  }, [])
  const part = [...all.departments, ...all.teams].find((p) => keyOf(p) === among)
  const options = (list: readonly Part[]) => list.map((p) => (
    <option key={keyOf(p)} value={keyOf(p)}>{`${p.name} (${p.people})`}</option>
  ))
  return (
    <>
      {all.departments.length + all.teams.length > 0 && (
        <div class="field">
          <label for={id}>{T("Department or team")}</label>
          <select id={id} value={among} onChange={(e) => setAmong(e.currentTarget.value)}>
            <option value="">{T("Everybody")}</option>
            {all.departments.length > 0 && <optgroup label={T("Departments")}>{options(all.departments)}</optgroup>}
            {all.teams.length > 0 && <optgroup label={T("Teams")}>{options(all.teams)}</optgroup>}
          </select>
        </div>
      )}
      <Picker label={T("Find a colleague")} chosen={chosen} onChosen={onChosen} among={among}
        load={(words, cancel) => colleagues(words, cancel, [me.peek().address], 50, part)} />
    </>
  )
}

const keyOf = (p: Part) => p.slug ? "team/" + p.slug : "department/" + p.name
