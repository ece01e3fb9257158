package store

import (
	"testing"
	"time"
)

func TestEffectiveRetention(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		said    Retention
		general time.Duration
		want    time.Duration
	}{
		{Retention{}, 0, 0},
		{Retention{}, 30 * day, 30 * day},
		{Retention{Own: 7 * day}, 30 * day, 7 * day},
		{Retention{Own: 7 * day}, 0, 7 * day},
		{Retention{Own: 90 * day}, 30 * day, 30 * day}, // the host's has become shorter since
		{Retention{Set: 90 * day}, 30 * day, 90 * day},
		{Retention{Set: 90 * day, Own: 7 * day}, 30 * day, 90 * day},
		{Retention{Set: Forever, Own: 7 * day}, 30 * day, 0},
	} {
		if got := c.said.Effective(c.general); got != c.want {
			t.Errorf("%+v where the host keeps for %v: %v, not %v", c.said, c.general, got, c.want)
		}
	}
}
