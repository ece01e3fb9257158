package main

import (
	"context"
	"io"
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

var fieldDefinition = definition[people.FieldChange]{
	among: "fields",
	parts: func(ch *people.FieldChange) (**string, **int) { return &ch.Name, &ch.Place },
	lists: func(ch *people.FieldChange) {
		if ch.Choices != nil {
			list := strings.Split(strings.Join(*ch.Choices, ","), ",")
			ch.Choices = &list
		}
	},
}

func (a *app) fieldAdd() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:     "add NAME",
		Short:   "Define a profile field",
		Example: "  parley user field add Extension --kind number --name-fr Poste --searched --listed",
	}
	c.Flags().StringVar(&key, "key", "", "its name in requests and lists (default: made from the name)")
	return fieldDefinition.create(a, c, func(ctx context.Context, cl *api.Client, n people.FieldChange) error {
		f, err := api.CreateProfileField.Do(ctx, cl, api.With(api.NewProfileField{Key: key, FieldChange: n}))
		if err == nil {
			a.done(f, "%s: added", f.Key)
		}
		return err
	})
}

func (a *app) fieldSet() *cobra.Command {
	c := &cobra.Command{
		Use:     "set FIELD",
		Short:   "Change the definition of a profile field; omitted values stay",
		Example: "  parley user field set extension --seen-by team --place 1",
	}
	return fieldDefinition.set(a, c,
		func(ctx context.Context, cl *api.Client, key string, ch people.FieldChange) error {
			in := api.ChangeProfileFieldInput{InProfileField: api.InProfileField{Key: key}}
			in.Body = ch
			f, err := api.ChangeProfileField.Do(ctx, cl, in)
			if err == nil {
				a.done(f, "%s: changed", f.Key)
			}
			return err
		})
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
