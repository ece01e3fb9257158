package digest

import (
	"context"

	"parley/people"
	"parley/server"
	"parley/settings"
	"parley/wire/form"
	"parley/wire/jid"
)

var dayLabels = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// quiet adds the quiet hours to the form.
func (d *digest) quiet(ctx context.Context, who jid.JID, f *form.Form) error {
	q, err := d.p.Quiet(ctx, who.Local())
	if err != nil {
		return err
	}
	f.AddBool("quiet", "Quiet hours: no notifications on my phone", q.On)
	f.Add("from", form.TextSingle, "Quiet hours begin at", settings.FormatClock(q.From))
	f.Add("to", form.TextSingle, "Quiet hours end at", settings.FormatClock(q.To))
	f.Add("days", form.ListMulti, "Quiet hours begin on", settings.DaysOf(q.Days)...)
	for i, day := range people.QuietDays {
		f.Field("days").Options = append(f.Field("days").Options, form.Option{Label: dayLabels[i], Value: day})
	}
	f.Add("time_zone", form.TextSingle, "Time zone", q.Zone)
	return nil
}

// setQuiet writes the submitted quiet hours.
func (d *digest) setQuiet(ctx context.Context, by people.Actor, f form.Form) error {
	var c people.QuietChange
	if f.Has("quiet") {
		on, ok := f.Bool("quiet")
		if !ok {
			return &server.NoteError{Text: "Quiet hours are on or off."}
		}
		c.On = &on
	}
	for name, to := range map[string]**string{"from": &c.From, "to": &c.To, "time_zone": &c.Zone} {
		if f.Has(name) {
			v := f.Get(name)
			*to = &v
		}
	}
	if f.Has("days") {
		days := f.Values("days")
		c.Days = &days
	}
	_, err := d.p.SetQuiet(ctx, by, by.Name, c)
	return err
}
