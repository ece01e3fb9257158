package config

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Entry is one key and its value in force, as it would be written in the file.
type Entry struct {
	Key   string `json:"key"`
	Value any    `json:"value"` // string, bool, int, []string, []Host, []Component or []ExternalService
}

// Entries returns all keys in the order of the sample. It leaves out passwords.
func (c *Config) Entries() (es []Entry) {
	for _, l := range leaves(reflect.ValueOf(c).Elem(), "") {
		v := l.value.Interface()
		switch t := v.(type) {
		case []ExternalService:
			es := slices.Clone(t)
			for i := range es {
				if es[i].Secret != "" {
					es[i].Secret = "(hidden)"
				}
				if es[i].Password != "" {
					es[i].Password = "(hidden)"
				}
			}
			v = es
		case []Component:
			cs := slices.Clone(t)
			for i := range cs {
				if cs[i].Secret != "" {
					cs[i].Secret = "(hidden)"
				}
			}
			v = cs
		case Size:
			v = t.String()
		case time.Duration:
			v = FormatDuration(t)
		case string:
			if l.secret {
				if v = redact(t); l.key != "store.dsn" && t != "" {
					v = "(hidden)"
				}
			}
		}
		es = append(es, Entry{l.key, v})
	}
	return es
}

// redact removes the password from a DSN.
func redact(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "(hidden)"
	}
	q := u.Query()
	if q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}
