package main

import (
	"reflect"
	"strings"

	"parley/admin/api"
	"parley/people"

	"github.com/spf13/cobra"
)

func (a *app) userSet() *cobra.Command {
	var fields []string
	c := &cobra.Command{
		Use:     "set ADDRESS",
		Short:   "Change a person's profile; omitted values stay",
		Args:    cobra.ExactArgs(1),
		Example: "  parley user set alice@example.org --title 'Head of engineering' --field extension=4711",
	}
	shapeFlags(c, people.Profile{})
	c.Flags().StringArrayVar(&fields, "field", nil, "a profile field as `key=value`; key= removes it (may be repeated)")
	c.RunE = func(c *cobra.Command, args []string) error {
		var ch api.PersonChange
		if err := readFlags(c, &ch.Profile); err != nil {
			return usage("%v", err)
		}
		for _, f := range fields {
			key, value, ok := strings.Cut(f, "=")
			if !ok {
				return usage("--field %s: write it as key=value", printable(f))
			}
			if ch.Fields == nil {
				ch.Fields = make(map[string]string)
			}
			ch.Fields[key] = value
		}
		if reflect.ValueOf(ch).IsZero() {
			return usage("nothing to change: see parley user set --help")
		}
		return a.with(func(cl *api.Client) error {
			u, err := changeUser(c.Context(), cl, args[0], ch)
			if err == nil {
				a.done(u, "%s: changed", u.Address)
			}
			return err
		})
	}
	return c
}
