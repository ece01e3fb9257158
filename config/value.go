package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written "256KiB", "64MiB" or as a plain number.
type Size int64

// The binary units of a Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

var sizeUnits = []struct {
	name string
	size Size
}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// ParseSize parses a size with the unit B, KiB, MiB, GiB (powers of 1024) or KB, MB, GB (powers of 1000), in any case.
func ParseSize(s string) (Size, error) {
	num, unit := strings.TrimSpace(s), Size(1)
	for _, u := range sizeUnits {
		if n := len(num) - len(u.name); n > 0 && strings.EqualFold(num[n:], u.name) {
			num, unit = strings.TrimSpace(num[:n]), u.size
			break
		}
	}
	f, err := strconv.ParseFloat(num, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f*float64(unit) > 1<<50 || strings.ContainsAny(num, "eExXpP_") {
		return 0, fmt.Errorf("%q is not a size: write a number and a unit, like 256KiB or 64MiB", s)
	}
	return Size(math.Round(f * float64(unit))), nil
}

// String returns the shortest exact form.
func (s Size) String() string {
	for _, u := range sizeUnits[:3] {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// ParseDuration is time.ParseDuration with days ("90d", "1d12h"). It refuses a number without a unit, except 0.
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration: write a number and a unit, like 30s, 10m, 12h or 90d", s)
	t := strings.TrimSpace(s)
	var d time.Duration
	if days, rest, ok := strings.Cut(t, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, bad
		}
		if d = time.Duration(n) * day; rest == "" {
			return d, nil
		}
		t = rest
	}
	e, err := time.ParseDuration(t)
	if err != nil || e < 0 {
		return 0, bad
	}
	return d + e, nil
}

// FormatDuration returns the form that ParseDuration reads, without needless zeros: "90d", "1h30m", "0s".
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}} {
		if u.name == "d" && d < 2*day { // 24h is how people write it
			continue
		}
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	if d > 0 {
		b.WriteString(d.String())
	}
	return b.String()
}
