package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"parley/internal/shape"

	"github.com/spf13/cobra"
)

// The fields of a change as flags and as lines, made of package shape's description.

// shapeFlags adds a flag for each field of a change.
func shapeFlags(c *cobra.Command, change any) {
	for _, f := range shape.Of(change) {
		if f.Kind == shape.Box {
			c.Flags().Bool(f.Flag, false, aboutFlag(f))
		} else {
			c.Flags().String(f.Flag, "", aboutFlag(f))
		}
	}
}

// aboutFlag returns the help for a field: its label inside a sentence, and its choices.
func aboutFlag(f shape.Field) string {
	about := []rune(f.Label)
	about[0] = unicode.ToLower(about[0])
	if f.Kind != shape.Choice {
		return string(about)
	}
	return string(about) + ": " + choices(f)
}

// choices lists the choices of a field.
func choices(f shape.Field) string {
	last := len(f.Choices) - 1
	return strings.Join(f.Choices[:last], ", ") + " or " + f.Choices[last]
}

// readFlags fills the change that a pointer points to with the flags that were given.
func readFlags(c *cobra.Command, change any) error {
	return shape.Read(change, func(f shape.Field) (string, bool) {
		flag := c.Flags().Lookup(f.Flag)
		return flag.Value.String(), flag.Changed
	})
}

// readNew is readFlags for a new thing: an empty text counts as none.
func readNew(c *cobra.Command, change any) error {
	return shape.Read(change, func(f shape.Field) (string, bool) {
		flag := c.Flags().Lookup(f.Flag)
		return flag.Value.String(), flag.Changed && flag.Value.String() != ""
	})
}

// printShape prints a line for each field that has a value, under the name of its flag.
func printShape(w io.Writer, is any) {
	for _, f := range shape.Of(is) {
		if text, ok := f.Value(is); ok {
			printLine(w, strings.ReplaceAll(f.Flag, "-", " "), text)
		}
	}
}

// printLine prints a name and its value.
func printLine(w io.Writer, name, text string) {
	fmt.Fprintf(w, "%-12s %s\n", name, printable(text))
}

// given returns an answer's value of a field; "" if it has none.
func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
