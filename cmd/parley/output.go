package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"parley/admin"
)

// show prints v as JSON, or as text says.
func (a *app) show(v any, text func(w io.Writer)) {
	if a.json {
		a.encode(a.out, v)
		return
	}
	text(a.out)
}

// done says what was done: in text a line, in JSON v.
func (a *app) done(v any, format string, args ...any) {
	a.show(v, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// table prints rows in columns under a head; "nothing" where there are none.
func table(w io.Writer, nothing, head string, rows [][]string) {
	if len(rows) == 0 {
		fmt.Fprintln(w, nothing)
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, head)
	for _, r := range rows {
		for i := range r {
			r[i] = printable(r[i])
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	t.Flush()
}

// printable keeps what people have named things from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func flags(names ...string) string {
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ", ")
}

func when(yes bool, name string) string {
	if yes {
		return name
	}
	return ""
}

// outcome is what became of one of several things, for --json.
type outcome struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// each does f for every name. Each is told; if some fail and others don't the exit code is 3.
func (a *app) each(names []string, done string, f func(name string) error) error {
	var all []outcome
	failed := 0
	for _, n := range names {
		err := f(n)
		o := outcome{Name: n, OK: err == nil}
		if err != nil {
			failed++
			o.Error = err.Error()
			if len(names) == 1 {
				return err
			}
		}
		all = append(all, o)
		if !a.json && err != nil {
			fmt.Fprintf(a.err, "parley: %s: %v\n", printable(n), err)
		} else if !a.json {
			fmt.Fprintf(a.out, "%s: %s\n", printable(n), done)
		}
	}
	if a.json {
		a.encode(a.out, all)
	}
	switch failed {
	case 0:
		return nil
	case len(names):
		return errSaid
	}
	return errPartial
}

// pages reads a list to its end.
func pages[T any](read func(after string, limit int) ([]T, error), key func(T) string) ([]T, error) {
	const limit = 500
	all := []T{}
	for after := ""; ; {
		page, err := read(after, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < limit {
			return all, nil
		}
		after = key(page[len(page)-1])
	}
}

func localpart(u admin.User) string {
	name, _, _ := strings.Cut(u.Address, "@")
	return name
}

// bytesText says how much it is as people do.
func bytesText(n int64) string {
	unit, size := "bytes", float64(n)
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		unit, size = u, size/1024
	}
	if unit == "bytes" {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
