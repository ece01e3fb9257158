package transfer

import (
	"cmp"
	"strconv"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// manyTasks is how many tasks are read at once.
const manyTasks = 500

// tasks adds the tasks that a person has made, and those that are for the person. They belong to conversations, which
// are not in the file: they are there to be read, and nothing imports them.
func (o *out) tasks(h *server.Host, name string, to *wire.Element) {
	self := name + "@" + h.Domain
	for _, f := range []store.TaskFilter{{Maker: self}, {Assignee: self}} {
		f.Host, f.Max = h.Domain, manyTasks
		for {
			ts, err := o.st.Tasks(o.ctx, f)
			if o.fail(err) {
				return
			}
			for _, t := range ts {
				if f.Maker == "" && t.Maker == self { // written already
					continue
				}
				other := t.One
				if other == self {
					other = t.Two
				}
				// Other people are not named: some conversations hide addresses.
				e := wire.T(nsAccount, "task", t.What).Set("id", t.ID.String()).Set("in", cmp.Or(t.Room, other))
				e.Set("made", strconv.FormatBool(t.Maker == self)).Set("mine", strconv.FormatBool(t.Assignee == self))
				to.Add(e.Set("link", t.Link).Set("due", stamp(t.Due)).Set("done", stamp(t.Done)))
			}
			if len(ts) < manyTasks {
				break
			}
			f.Before = ts[len(ts)-1].ID
		}
	}
}
