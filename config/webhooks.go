package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

func (c *Config) checkWebhooks(v *checker, num func(string, int, int, int), span func(string, time.Duration, time.Duration, time.Duration)) {
	w := &c.Webhooks
	if w.URL != "" {
		if u, err := url.Parse(w.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.HasSuffix(w.URL, "/") {
			v.add("webhooks.url", "%q is no address to begin with: write it like https://example.org/hooks", w.URL)
		}
	}
	num("webhooks.max_per_group", w.MaxPerGroup, 1, 1000)
	num("webhooks.rate", w.Rate, 1, 1000)
	num("webhooks.burst", w.Burst, 1, 10000)
	num("webhooks.attempts", w.Attempts, 1, 100)
	span("webhooks.timeout", w.Timeout, 100*time.Millisecond, time.Minute)
	span("webhooks.retry", w.Retry, time.Millisecond, time.Hour)
	span("webhooks.log", w.Log, time.Hour, 365*24*time.Hour)
	for _, s := range w.Allow {
		if _, err := netip.ParsePrefix(s); err != nil {
			v.add("webhooks.allow", "%q is no network: write it like 10.1.0.0/16", s)
		}
	}
}
