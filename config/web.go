package config

import (
	"net/mail"
	"net/url"
	"time"
)

// checkWeb checks the sections web and mail.
func (c *Config) checkWeb(v *checker) {
	if u := c.Web.URL; u != "" {
		v.webAddress("web.url", u,
			"to begin with: write it like https://chat.example.org", func(u *url.URL) bool { return u.Path == "" })
	}
	for _, s := range []struct {
		key string
		d   time.Duration
	}{{"web.session_idle", c.Web.SessionIdle}, {"web.invite_time", c.Web.InviteTime}} {
		if s.d < time.Minute || s.d > 365*day {
			v.add(s.key, "%s is not between 1m and 365d", FormatDuration(s.d))
		}
	}
	m := c.Mail
	switch m.TLS {
	case "starttls", "tls", "none":
	default:
		v.add("mail.tls", "%q is not one of starttls, tls, none", m.TLS)
	}
	if m.Port < 1 || m.Port > 65535 {
		v.add("mail.port", "%d is not a valid port", m.Port)
	}
	if m.PerMinute < 1 || m.PerMinute > 10000 {
		v.add("mail.per_minute", "%d is not between 1 and 10000", m.PerMinute)
	}
	switch m.Digest {
	case "off", "daily", "weekly":
	default:
		v.add("mail.digest", "%q is not one of off, daily, weekly", m.Digest)
	}
	if m.DigestHour < 0 || m.DigestHour > 23 {
		v.add("mail.digest_hour", "%d is not an hour between 0 and 23", m.DigestHour)
	}
	if m.Host == "" {
		return
	}
	if err := checkHostName(m.Host); err != nil {
		v.add("mail.host", "%v, and the port in mail.port", err)
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		v.add("mail.from", "%q is not a sender address: write it like Example Org <chat@example.org>", m.From)
	}
	if (m.Username == "") != (m.Password == "") {
		v.add("mail.username", "username and password belong together: set both")
	}
}
