package api

import (
	"context"
	"net/http"
	"time"

	"parley/people"
	"parley/settings"
	"parley/store"
)

// QuietHours are when a person's phones are left alone.
type QuietHours struct {
	On          bool      `json:"on" doc:"the quiet hours are on; a pause works without them"`
	From        string    `json:"from" doc:"local time in the time zone, like 22:00"`
	To          string    `json:"to" doc:"on the next day if it is not later than from"`
	Days        []string  `json:"days" doc:"days on which the hours begin: mon, tue, wed, thu, fri, sat, sun"`
	Zone        string    `json:"time_zone" doc:"IANA name of the time zone, like Europe/Paris"`
	PausedUntil time.Time `json:"paused_until,omitzero" doc:"no push notifications until then"`
}

// QuietChange changes quiet hours. Fields that are nil stay.
type QuietChange struct {
	On    *bool     `json:"on,omitempty"`
	From  *string   `json:"from,omitempty" maxLength:"20" doc:"like 22:00"`
	To    *string   `json:"to,omitempty" maxLength:"20"`
	Days  *[]string `json:"days,omitempty" maxItems:"7" doc:"mon, tue, wed, thu, fri, sat, sun"`
	Zone  *string   `json:"time_zone,omitempty" maxLength:"100" doc:"like Europe/Paris"`
	Pause *string   `json:"paused_until,omitempty" maxLength:"40" doc:"like 2027-01-31T15:00:00Z; \"\": no pause"`
}

// Operations on one's own quiet hours.
var (
	GetQuietHours = inBrowsers(personal(op[None, QuietHours](
		"get-quiet-hours", http.MethodGet, "/me/quiet-hours", "people:read",
		"The caller's quiet hours",
	)))
	ChangeQuietHours = inBrowsers(personal(op[Body[QuietChange], QuietHours](
		"change-quiet-hours", http.MethodPatch, "/me/quiet-hours", "people:write",
		"Change the caller's quiet hours; omitted values stay",
	)))
)

func (s *Server) quiet(d *doors) {
	serve(s, d, GetQuietHours, nil, func(ctx context.Context, c caller, _ *None) (QuietHours, error) {
		q, err := c.p.Quiet(ctx, c.me.Name)
		return showQuiet(q), err
	})
	serve(s, d, ChangeQuietHours, nil, func(ctx context.Context, c caller, in *Body[QuietChange]) (QuietHours, error) {
		b := in.Body
		ch := people.QuietChange{On: b.On, From: b.From, To: b.To, Days: b.Days, Zone: b.Zone}
		if b.Pause != nil {
			until, err := people.PauseTime(*b.Pause)
			if err != nil {
				return QuietHours{}, err
			}
			ch.Until = &until
		}
		q, err := c.p.SetQuiet(ctx, c.actor, c.me.Name, ch)
		if w := s.Chats[c.host()]; w != nil && err == nil {
			w.QuietChanged(ctx, c.me.Name)
		}
		return showQuiet(q), err
	})
}

func showQuiet(q store.QuietHours) QuietHours {
	return QuietHours{
		q.On,
		settings.FormatClock(q.From),
		settings.FormatClock(q.To),
		settings.DaysOf(q.Days),
		q.Zone,
		q.Until,
	}
}
