package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"parley/admin/api"
	"parley/wire/jid"
)

// show prints v as JSON, or calls text to print it.
func (a *app) show(v any, text func(w io.Writer)) {
	if a.json {
		a.encode(a.out, v)
		return
	}
	text(a.out)
}

// done reports a success: a line of text, or v in JSON.
func (a *app) done(v any, format string, args ...any) {
	a.show(v, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// table prints rows in columns under a head, or nothing as a sentence if there are no rows.
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

// printable keeps names that people have chosen from steering the terminal.
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

// outcome is the result for one of several things, for --json.
type outcome struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// each calls f for every name and reports each result. If some fail and others do not, the exit code is 3.
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

// parts is pages for lists with an offset.
func parts[T any](limit int, read func(skip, limit int) ([]T, error)) ([]T, error) {
	all := []T{}
	for {
		page, err := read(len(all), limit)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < limit {
			return all, nil
		}
	}
}

// account reads the address of an account, "alice" or "alice@example.org". host is "" where only the name is given.
func account(address string) (host, name string, err error) {
	name, host, ok := strings.Cut(address, "@")
	if ok && host == "" || name == "" {
		return "", "", wrong("address", "%q is not an address: write it like alice@example.org", address)
	}
	j, err := jid.New(name, cmp.Or(host, "localhost"), "")
	if err != nil {
		return "", "", wrong("address", "%q is no name for an account: letters, digits, dots and hyphens are good, "+
			"spaces and \"&'/:<>@ are not possible", name)
	}
	return host, j.Local(), nil
}

// ofAccount rewrites an error about an account so that it names the command line's flags.
func ofAccount(err error) error {
	var e *api.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Field {
	case "name":
		e.Field = "address"
	case "full_name":
		e.Field = "name"
	}
	if rest, ok := strings.CutPrefix(e.Text, "There is no account "); ok {
		e.Field, e.Text = "address", "there is no account "+rest
	}
	return err
}

// wrong returns an error about an argument, before the server is asked.
func wrong(field, format string, args ...any) error {
	return &api.Error{Field: field, Text: fmt.Sprintf(format, args...)}
}

// bytesText writes a size in KiB, MiB and so on.
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
