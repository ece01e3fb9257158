package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var (
	typeSize     = reflect.TypeFor[Size]()
	typeDuration = reflect.TypeFor[time.Duration]()
	typeHosts    = reflect.TypeFor[[]Host]()
	typeStrings  = reflect.TypeFor[[]string]()
)

// isList reports whether a key is a list of sections.
func isList(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && t != typeHosts
}

// assign sets a key to a value from YAML (string, int, float64, bool, list, map), or from a flag or the environment
// (string).
func assign(dst reflect.Value, key string, raw any) (ps Problems) {
	var err error
	if isList(dst.Type()) {
		return assignList(dst, key, raw)
	}
	switch dst.Type() {
	case typeHosts:
		return assignHosts(dst, key, raw)
	case typeStrings:
		return assignStrings(dst, key, raw)
	case typeSize:
		var s Size
		if s, err = ParseSize(scalar(raw)); err == nil {
			dst.SetInt(int64(s))
		}
	case typeDuration:
		var d time.Duration
		if d, err = ParseDuration(scalar(raw)); err == nil {
			dst.SetInt(int64(d))
		}
	default:
		err = assignPlain(dst, raw)
	}
	if err != nil {
		ps.add(key, "%v", err)
	}
	return ps
}

func assignPlain(dst reflect.Value, raw any) error {
	s := scalar(raw)
	switch dst.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		dst.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is not a whole number of 0 or more", s)
		}
		dst.SetInt(int64(n))
	case reflect.String:
		switch raw.(type) {
		case []any, map[string]any:
			return fmt.Errorf("write one value, not a list or a section")
		}
		dst.SetString(s)
	default:
		panic("config: no way to read a " + dst.Type().String())
	}
	return nil
}

// scalar returns a value as it would stand in the file.
func scalar(raw any) string {
	switch r := raw.(type) {
	case string:
		return strings.TrimSpace(r)
	case float64:
		return strconv.FormatFloat(r, 'f', -1, 64)
	case nil:
		return ""
	}
	return fmt.Sprint(raw)
}

// list makes a list from a value that may be one: in the environment and in flags, commas separate the values.
func list(raw any) ([]any, bool) {
	switch r := raw.(type) {
	case []any:
		return r, true
	case []string:
		out := make([]any, len(r))
		for i, s := range r {
			out[i] = s
		}
		return out, true
	case string:
		out := []any{}
		for s := range strings.SplitSeq(r, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
		return out, true
	}
	return nil, false
}

func assignStrings(dst reflect.Value, key string, raw any) (ps Problems) {
	vs, ok := list(raw)
	if !ok {
		ps.add(key, "write a list, like [one, two]")
		return ps
	}
	out := []string{}
	for i, v := range vs {
		switch v.(type) {
		case []any, map[string]any, nil:
			ps.add(fmt.Sprintf("%s[%d]", key, i), "write one value")
		default:
			out = append(out, scalar(v))
		}
	}
	if len(out) == 0 {
		out = nil
	}
	dst.Set(reflect.ValueOf(out))
	return ps
}

func assignHosts(dst reflect.Value, key string, raw any) (ps Problems) {
	vs, ok := list(raw)
	if !ok {
		ps.add(key, "write a list of domains, like [example.org]")
		return ps
	}
	hosts := make([]Host, len(vs))
	for i, v := range vs {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch v := v.(type) {
		case string:
			hosts[i].Domain = strings.TrimSpace(v)
		case map[string]any:
			for _, l := range leaves(reflect.ValueOf(&hosts[i]).Elem(), "") {
				if r, ok := v[l.key]; ok {
					ps = append(ps, assign(l.value, at+"."+l.key, r)...)
				}
			}
		default:
			ps.add(at, "write a domain")
		}
	}
	dst.Set(reflect.ValueOf(hosts))
	return ps
}

// assignList sets a list of sections, such as components.
func assignList(dst reflect.Value, key string, raw any) (ps Problems) {
	vs, ok := list(raw)
	if !ok {
		ps.add(key, "write a list whose entries have keys and values")
		return ps
	}
	out := reflect.Zero(dst.Type())
	if len(vs) > 0 {
		out = reflect.MakeSlice(dst.Type(), len(vs), len(vs))
	}
	for i, v := range vs {
		at := fmt.Sprintf("%s[%d]", key, i)
		m, ok := v.(map[string]any)
		if !ok {
			ps.add(at, "write keys and values")
			continue
		}
		for _, l := range leaves(out.Index(i), "") {
			if r, ok := m[l.key]; ok {
				ps = append(ps, assign(l.value, at+"."+l.key, r)...)
			}
		}
	}
	dst.Set(out)
	return ps
}
