package serviceadmin

import (
	"context"
	"strconv"
	"time"

	"parley/server"
	"parley/wire/form"
)

// maxDelay is the longest delay of a stop.
const maxDelay = time.Hour

// leastDelay lets the asker get the answer.
const leastDelay = 500 * time.Millisecond

// stops makes the commands of sections 4.30 and 4.31, if the operator allows them.
func (s *service) stops() []server.Command {
	if s.cfg.Stop == nil {
		return nil
	}
	one := func(name, title string, restart bool, done string) server.Command {
		return s.command(name, title, func(f *form.Form) {
			var os []form.Option
			for _, n := range []int{30, 60, 90, 120, 180, 240, 300} {
				os = append(os, form.Option{Label: (time.Duration(n) * time.Second).String(), Value: strconv.Itoa(n)})
			}
			f.AddList("delay", "Time until then", "60", os...)
			f.AddText("announcement", "Announcement", "")
		}, func(_ context.Context, f form.Form) (string, *form.Form, error) {
			n, err := strconv.Atoi(f.Get("delay"))
			if f.Get("delay") == "" {
				n, err = 0, nil
			}
			text := f.Text("announcement")
			if err != nil || n < 0 || time.Duration(n)*time.Second > maxDelay || len(text) > maxAnnouncement {
				return "", nil, server.WithText(server.NotAcceptable,
					"a delay of at most an hour, and a text of at most 16 KiB")
			}
			if text != "" {
				s.tell("", text)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.stop != nil { // the latest request counts
				s.stop.Stop()
			}
			s.stop = time.AfterFunc(max(time.Duration(n)*time.Second, leastDelay), func() { s.cfg.Stop(restart) })
			s.h.Log.Warn("an administrator stops the server", "restart", restart, "seconds", n)
			return done, nil, nil
		})
	}
	return []server.Command{one("restart", "Restart the service", true, "The service will be restarted."),
		one("shutdown", "Shut down the service", false, "The service will be shut down.")}
}
