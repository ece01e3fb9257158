package config

import (
	"net/url"
	"strings"
	"time"
)

func (c *Config) checkWebhooks(v *checker, num func(string, int, int, int),
	span func(string, time.Duration, time.Duration, time.Duration)) {
	w := &c.Webhooks
	if w.URL != "" {
		v.webAddress("webhooks.url", w.URL, "to begin with: write it like https://example.org/hooks",
			func(u *url.URL) bool { return !strings.HasSuffix(u.Path, "/") })
	}
	num("webhooks.max_per_group", w.MaxPerGroup, 1, 1000)
	num("webhooks.rate", w.Rate, 1, 1000)
	num("webhooks.burst", w.Burst, 1, 10000)
	num("webhooks.attempts", w.Attempts, 1, 100)
	span("webhooks.timeout", w.Timeout, 100*time.Millisecond, time.Minute)
	span("webhooks.retry", w.Retry, time.Millisecond, time.Hour)
	span("webhooks.log", w.Log, time.Hour, 365*24*time.Hour)
	checkNetworks(v, "webhooks.allow", w.Allow)
	checkNetworks(v, "previews.allow", c.Previews.Allow)
}
