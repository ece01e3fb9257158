package transfer

import (
	"strconv"

	"parley/server"
	"parley/wire"
)

// unsent adds what a person has written and not sent: drafts, and messages and reminders for later. It is there to be
// read, and nothing imports it: the conversations are not in the file.
func (o *out) unsent(h *server.Host, name string, to *wire.Element) {
	drafts, err := o.st.Drafts(o.ctx, h.Domain, name)
	if o.fail(err) {
		return
	}
	for _, d := range drafts {
		to.Add(wire.T(nsAccount, "draft", d.Text).Set("in", d.Chat).Set("at", stamp(d.At)))
	}
	later, err := o.st.Scheduled(o.ctx, h.Domain, name)
	if o.fail(err) {
		return
	}
	for _, x := range later {
		to.Add(wire.T(nsAccount, "scheduled", x.Text).Set("in", x.Chat).Set("at", stamp(x.Due)).
			Set("reminder", strconv.FormatBool(x.Reminder)))
	}
}
