package web

import (
	"slices"
	"time"

	"parley/people"
	"parley/settings"
)

// quietForm is a person's quiet hours on the page of their notifications.
type quietForm struct {
	On       bool
	From, To string
	Days     []quietDay
	Zone     string
	Chosen   bool      // by the person: otherwise scripts propose the time zone of the browser
	Until    time.Time // of a pause, in that time zone
	Pauses   []string
}

// quietDay is a day of the week.
type quietDay struct {
	Name string
	On   bool
}

// pauses are how long notifications can be paused for by one choice.
var pauses = []string{"30m", "1h", "2h", "4h", "8h", "24h"}

func (c *request) quietForm() (f quietForm, err error) {
	q, err := c.P.Quiet(c.r.Context(), c.Me.Name)
	if err != nil {
		return f, err
	}
	f = quietForm{
		On:     q.On,
		From:   settings.FormatClock(q.From),
		To:     settings.FormatClock(q.To),
		Zone:   q.Zone,
		Pauses: pauses,
	}
	f.days(settings.DaysOf(q.Days))
	if f.Chosen, err = c.P.ChosenQuiet(c.r.Context(), c.Me.Name); err != nil {
		return f, err
	}
	if !q.Until.IsZero() {
		f.Until = q.Until
		if in, err := time.LoadLocation(q.Zone); err == nil {
			f.Until = f.Until.In(in)
		}
	}
	return f, nil
}

func (f *quietForm) days(on []string) {
	f.Days = nil
	for _, name := range people.QuietDays {
		f.Days = append(f.Days, quietDay{name, slices.Contains(on, name)})
	}
}

// sent writes the sent values into a form that is shown again.
func (f *quietForm) sent(c *request) {
	if !c.r.Form.Has("quiet_hours") {
		return
	}
	f.On, f.From, f.To, f.Zone, f.Chosen = c.r.Form.Has("quiet"), c.form("from"), c.form("to"),
		c.form("time_zone"), true
	f.days(c.r.Form["days"])
}

// setQuiet takes the quiet hours of a form that has them.
func (c *request) setQuiet() error {
	if !c.r.Form.Has("quiet_hours") {
		return nil
	}
	on, days := c.r.Form.Has("quiet"), c.r.Form["days"]
	ch := people.QuietChange{On: &on, From: c.given("from"), To: c.given("to"), Days: &days, Zone: c.given("time_zone")}
	switch pause := c.form("pause"); {
	case pause == "off":
		ch.Until = new(time.Time)
	case slices.Contains(pauses, pause):
		d, err := time.ParseDuration(pause)
		if err != nil {
			return err
		}
		until := c.P.Now().Add(d)
		ch.Until = &until
	case pause != "":
		return badForm
	}
	_, err := c.P.SetQuiet(c.r.Context(), c.Actor, c.Me.Name, ch)
	return err
}
