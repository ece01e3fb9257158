package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a container has no time zones of its own

	"parley/store"
)

// DayNames are the names of the days of the week, from Monday.
var DayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// DaysOf gives the names of the days in a set, from Monday.
func DaysOf(d store.Days) []string {
	names := []string{}
	for i, name := range DayNames {
		if d.Has(time.Weekday((i + 1) % 7)) {
			names = append(names, name)
		}
	}
	return names
}

// ParseDays reads names of days; ok is false if one is not a day's name.
func ParseDays(names []string) (d store.Days, ok bool) {
	for _, name := range names {
		found := false
		for i, n := range DayNames {
			if n == name {
				d, found = d|1<<((i+1)%7), true
			}
		}
		if !found {
			return 0, false
		}
	}
	return d, true
}

// ParseClock reads a time of day like "22:00" as minutes after midnight.
func ParseClock(s string) (int, bool) {
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	return t.Hour()*60 + t.Minute(), err == nil
}

// FormatClock writes minutes after midnight as a time of day.
func FormatClock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// Zone gives a time zone by its name in the IANA database; false if there is none.
func Zone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, false
	}
	l, err := time.LoadLocation(name)
	return l, err == nil
}

func timeZone(name string, of func(*Values) *string) Setting {
	return Setting{
		Name: name,
		Kind: Text,
		get:  func(v *Values) string { return *of(v) },
		set: func(v *Values, s string) error {
			s = strings.TrimSpace(s)
			if _, ok := Zone(s); !ok {
				return wrong("There is no such time zone: give its name, like Europe/Paris")
			}
			*of(v) = s
			return nil
		},
	}
}

func clockTime(name string, of func(*Values) *int) Setting {
	return Setting{
		Name: name,
		Kind: Text,
		get:  func(v *Values) string { return FormatClock(*of(v)) },
		set: func(v *Values, s string) error {
			m, ok := ParseClock(s)
			if !ok {
				return wrong("Enter a time from 00:00 to 23:59, like 22:00")
			}
			*of(v) = m
			return nil
		},
	}
}

func days(name string, of func(*Values) *store.Days) Setting {
	return Setting{
		Name:    name,
		Kind:    Several,
		Choices: DayNames,
		get:     func(v *Values) string { return strings.Join(DaysOf(*of(v)), ",") },
		set: func(v *Values, s string) error {
			d, ok := ParseDays(strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }))
			if !ok {
				return wrong("{{.Value}} is not one of the choices", "Value", strconv.Quote(s))
			}
			*of(v) = d
			return nil
		},
	}
}
