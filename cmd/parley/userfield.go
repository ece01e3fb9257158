package main

import (
	"io"
	"reflect"
	"strings"

	"parley/admin/api"
	"parley/people"

	"github.com/spf13/cobra"
)

func (a *app) userField() *cobra.Command {
	return a.noun("field", "Profile fields of your own, such as a telephone extension: list, add, set, delete",
		a.fieldList(), a.fieldAdd(), a.fieldSet(), a.fieldDelete())
}

func (a *app) fieldList() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the profile fields that are defined",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				fs, err := api.ListProfileFields.Do(c.Context(), cl.On(host), api.None{})
				if err != nil {
					return err
				}
				a.show(fs, func(w io.Writer) {
					var rows [][]string
					for _, f := range fs {
						more := flags(when(f.Searched, "searched"), when(f.Listed, "listed"))
						rows = append(rows, []string{f.Key, f.Name, f.Kind, f.SeenBy, f.ChangedBy, more})
					}
					table(w, "There are no profile fields yet: parley user field add NAME",
						"FIELD\tNAME\tKIND\tSEEN BY\tCHANGED BY\t", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) fieldAdd() *cobra.Command {
	var host string
	var n api.NewProfileField
	c := &cobra.Command{
		Use:     "add NAME",
		Short:   "Define a profile field",
		Args:    cobra.ExactArgs(1),
		Example: "  parley user field add Extension --kind number --name-fr Poste --searched --listed",
	}
	fieldFlags(c)
	c.Flags().StringVar(&n.Key, "key", "", "its name in requests and lists (default: made from the name)")
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := readField(c, &n.FieldChange); err != nil {
			return err
		}
		n.Name = &args[0]
		return a.with(func(cl *api.Client) error {
			f, err := api.CreateProfileField.Do(c.Context(), cl.On(host), api.With(n))
			if err == nil {
				a.done(f, "%s: added", f.Key)
			}
			return err
		})
	}
	if err := c.Flags().MarkHidden("name"); err != nil { // it is the argument
		panic(err)
	}
	return c
}

func (a *app) fieldSet() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:     "set FIELD",
		Short:   "Change the definition of a profile field; omitted values stay",
		Args:    cobra.ExactArgs(1),
		Example: "  parley user field set extension --seen-by team --place 1",
	}
	fieldFlags(c)
	hostFlag(c, &host)
	c.RunE = func(c *cobra.Command, args []string) error {
		in := api.ChangeProfileFieldInput{InProfileField: api.InProfileField{Key: args[0]}}
		if err := readField(c, &in.Body); err != nil {
			return err
		}
		if reflect.ValueOf(in.Body).IsZero() {
			return usage("nothing to change: see parley user field set --help")
		}
		return a.with(func(cl *api.Client) error {
			f, err := api.ChangeProfileField.Do(c.Context(), cl.On(host), in)
			if err == nil {
				a.done(f, "%s: changed", f.Key)
			}
			return err
		})
	}
	return c
}

// fieldFlags adds the flags of a definition.
func fieldFlags(c *cobra.Command) {
	shapeFlags(c, people.FieldChange{})
	c.Flags().Int("place", 0, "its place among the fields, from 1")
}

// readField reads the flags of a definition that are given.
func readField(c *cobra.Command, ch *people.FieldChange) error {
	if err := readFlags(c, ch); err != nil {
		return usage("%v", err)
	}
	if ch.Choices != nil { // on a command line they are separated by commas
		list := strings.Split(strings.Join(*ch.Choices, ","), ",")
		ch.Choices = &list
	}
	if c.Flags().Changed("place") {
		place, err := c.Flags().GetInt("place")
		if err != nil {
			return usage("%v", err)
		}
		ch.Place = &place
	}
	return nil
}

func (a *app) fieldDelete() *cobra.Command {
	var host string
	var yes bool
	c := &cobra.Command{
		Use:   "delete FIELD",
		Short: "Delete a profile field with everyone's values",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes, "Deletes the field "+printable(args[0])+
				" with everyone's values.", args[0]); err != nil {
				return err
			}
			return a.with(func(cl *api.Client) error {
				return a.each(args, "deleted", func(key string) error {
					_, err := api.DeleteProfileField.Do(c.Context(), cl.On(host), api.InProfileField{Key: key})
					return err
				})
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	hostFlag(c, &host)
	return c
}
