package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"parley/internal/shape"

	"github.com/spf13/cobra"
)

// What a command changes, as flags and as lines, by the one description of it.

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

// aboutFlag is what --help says of a field: its label, as the middle of a sentence, and what there is to choose from.
func aboutFlag(f shape.Field) string {
	about := []rune(f.Label)
	about[0] = unicode.ToLower(about[0])
	if f.Kind != shape.Choice {
		return string(about)
	}
	return string(about) + ": " + choices(f)
}

// choices lists what there is to choose from.
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

// readNew is readFlags for what is to be made: an empty text is as good as none.
func readNew(c *cobra.Command, change any) error {
	return shape.Read(change, func(f shape.Field) (string, bool) {
		flag := c.Flags().Lookup(f.Flag)
		return flag.Value.String(), flag.Changed && flag.Value.String() != ""
	})
}

// printShape writes a line for each field that there is, under the names of the flags.
func printShape(w io.Writer, is any) {
	for _, f := range shape.Of(is) {
		if text, ok := f.Value(is); ok {
			printLine(w, strings.ReplaceAll(f.Flag, "-", " "), text)
		}
	}
}

// printLine writes what there is to say beside its name.
func printLine(w io.Writer, name, text string) {
	fmt.Fprintf(w, "%-12s %s\n", name, printable(text))
}

// given is what an answer has for a field, and nothing where it has none.
func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
