package people

import (
	"testing"
	"time"

	"parley/settings"
	"parley/store"
)

// TestQuietCovers checks that quiet hours follow the local clock, and begin and end once where it is set forward or
// back.
func TestQuietCovers(t *testing.T) {
	hours := func(from, to string, days store.Days) store.QuietHours {
		f, ok := settings.ParseClock(from)
		u, ok2 := settings.ParseClock(to)
		if !ok || !ok2 {
			t.Fatal(from, to)
		}
		return store.QuietHours{On: true, From: f, To: u, Days: days}
	}
	const sat, sun = store.Days(1 << time.Saturday), store.Days(1 << time.Sunday)
	night := hours("22:00", "07:00", store.EveryDay)
	for _, tc := range []struct {
		zone, at string
		q        store.QuietHours
		want     bool
	}{
		{"UTC", "2027-06-01T21:59:59Z", night, false},
		{"UTC", "2027-06-01T22:00:00Z", night, true},
		{"UTC", "2027-06-02T00:00:00Z", night, true},
		{"UTC", "2027-06-02T06:59:59Z", night, true},
		{"UTC", "2027-06-02T07:00:00Z", night, false},
		{"UTC", "2027-06-02T23:00:00Z", store.QuietHours{From: 0, To: 0, Days: store.EveryDay}, false},
		{"UTC", "2027-06-05T12:00:00Z", hours("12:00", "13:00", sat), true}, // a Saturday
		{"UTC", "2027-06-05T13:00:00Z", hours("12:00", "13:00", sat), false},
		{"UTC", "2027-06-06T12:30:00Z", hours("12:00", "13:00", sat), false},
		{"UTC", "2027-06-06T06:00:00Z", hours("22:00", "07:00", sat), true}, // begun on Saturday
		{"UTC", "2027-06-06T23:00:00Z", hours("22:00", "07:00", sat), false},
		{"UTC", "2027-06-05T00:00:00Z", hours("00:00", "00:00", sat|sun), true}, // whole days
		{"UTC", "2027-06-06T23:59:59Z", hours("00:00", "00:00", sat|sun), true},
		{"UTC", "2027-06-07T00:00:00Z", hours("00:00", "00:00", sat|sun), false},
		// Paris goes from 02:00 to 03:00 on 28 March 2027 at 01:00Z, and from 03:00 to 02:00 on 31 October at 01:00Z.
		{"Europe/Paris", "2027-03-28T04:59:59Z", night, true},
		{"Europe/Paris", "2027-03-28T05:00:00Z", night, false},
		{"Europe/Paris", "2027-10-31T05:59:59Z", night, true},
		{"Europe/Paris", "2027-10-31T06:00:00Z", night, false},
		{"Asia/Kathmandu", "2027-06-01T16:15:00Z", night, true},
		{"Asia/Kathmandu", "2027-06-01T16:14:59Z", night, false},
		// 14 hours before Greenwich: Sunday
		{"Pacific/Kiritimati", "2027-06-05T10:00:00Z", hours("00:00", "06:00", sun), true},
		{"Pacific/Pago_Pago", "2027-06-06T10:59:59Z", hours("22:00", "00:00", sat), true}, // 11 behind: Saturday
		{"UTC", "2027-06-02T12:00:00Z", store.QuietHours{Until: time.Date(2027, 6, 2, 12, 0, 1, 0, time.UTC)}, true},
		{"UTC", "2027-06-02T12:00:01Z", store.QuietHours{Until: time.Date(2027, 6, 2, 12, 0, 1, 0, time.UTC)}, false},
	} {
		in, ok := settings.Zone(tc.zone)
		at, err := time.Parse(time.RFC3339, tc.at)
		if !ok || err != nil {
			t.Fatal(tc.zone, err)
		}
		if got := covers(tc.q, in, at); got != tc.want {
			t.Errorf("%s %s %s–%s %07b: %v", tc.zone, tc.at, settings.FormatClock(tc.q.From),
				settings.FormatClock(tc.q.To), tc.q.Days, got)
		}
	}
	// Where a local time occurs twice or not at all, quiet hours still begin and end once.
	paris, _ := settings.Zone("Europe/Paris")
	for _, q := range []store.QuietHours{hours("22:00", "02:30", store.EveryDay), hours("02:15",
		"06:00", store.EveryDay), hours("02:10", "02:50", store.EveryDay)} {
		for _, noon := range []time.Time{
			time.Date(2027, 3, 27, 11, 0, 0, 0, time.UTC), time.Date(2027, 10, 30, 11, 0, 0, 0, time.UTC),
		} {
			turns, was := 0, false
			for at := noon; at.Before(noon.Add(24 * time.Hour)); at = at.Add(time.Minute) {
				if is := covers(q, paris, at); is != was {
					turns, was = turns+1, is
				}
			}
			if turns != 2 {
				t.Errorf("%s–%s after %s: %d turns", settings.FormatClock(q.From),
					settings.FormatClock(q.To), noon, turns)
			}
		}
	}
}
