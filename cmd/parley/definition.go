package main

import (
	"context"
	"reflect"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

// definition is a kind of thing that administrators define, and that has a place among others. C is what changes it.
type definition[C any] struct {
	among string                                   // what it has its place among
	parts func(ch *C) (name **string, place **int) // the fields for its name and its place
	lists func(ch *C)                              // splits lists, which have commas on a command line
}

// create makes c define something, whose name is the argument.
func (d definition[C]) create(a *app, c *cobra.Command,
	do func(ctx context.Context, cl *api.Client, n C) error) *cobra.Command {
	c.Args = cobra.ExactArgs(1)
	host := d.flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := d.read(c)
		if err != nil {
			return err
		}
		name, _ := d.parts(&n)
		*name = &args[0]
		return a.with(func(cl *api.Client) error { return do(c.Context(), cl.On(*host), n) })
	}
	if err := c.Flags().MarkHidden("name"); err != nil { // it is the argument
		panic(err)
	}
	return c
}

// set makes c change something, whose id is the argument.
func (d definition[C]) set(a *app, c *cobra.Command,
	do func(ctx context.Context, cl *api.Client, id string, ch C) error) *cobra.Command {
	c.Args = cobra.ExactArgs(1)
	host := d.flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ch, err := d.read(c)
		if err != nil {
			return err
		}
		if reflect.ValueOf(ch).IsZero() {
			return usage("nothing to change: see %s --help", c.CommandPath())
		}
		return a.with(func(cl *api.Client) error { return do(c.Context(), cl.On(*host), args[0], ch) })
	}
	return c
}

func (d definition[C]) flags(c *cobra.Command) (host *string) {
	var none C
	shapeFlags(c, none)
	c.Flags().Int("place", 0, "its place among the "+d.among+", from 1")
	host = new(string)
	hostFlag(c, host)
	return host
}

// read reads the flags that are given.
func (d definition[C]) read(c *cobra.Command) (ch C, err error) {
	if err := readFlags(c, &ch); err != nil {
		return ch, usage("%v", err)
	}
	d.lists(&ch)
	if c.Flags().Changed("place") {
		at, err := c.Flags().GetInt("place")
		if err != nil {
			return ch, usage("%v", err)
		}
		_, place := d.parts(&ch)
		*place = &at
	}
	return ch, nil
}
