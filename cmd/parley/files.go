package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) userExport() *cobra.Command {
	var x api.ExportQuery
	var host string
	var file string
	c := &cobra.Command{
		Use:   "export [ADDRESS...]",
		Short: "Write accounts with all their data to a file (XEP-0227); without addresses, all accounts",
		Long: "Writes accounts with contacts, messages, cards, nodes, bookmarks, blocked addresses and the data " +
			"that checks passwords.\n" +
			"Anybody who gets the file can try passwords on it: keep it as safe as the database.",
		Example: "  parley user export --output accounts.xml\n  parley user export alice@example.org --archive=false",
		RunE: func(c *cobra.Command, args []string) error {
			x.Addresses = args
			return a.with(func(cl *api.Client) error {
				if file == "" || file == "-" {
					return ofAccount(api.Save(c.Context(), cl.On(host), api.Export, x, a.out))
				}
				f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					return err
				}
				err = ofAccount(api.Save(c.Context(), cl.On(host), api.Export, x, f))
				if err = errors.Join(err, f.Close()); err != nil {
					return errors.Join(err, os.Remove(file))
				}
				return nil
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().StringVar(&file, "output", "", "write to a new `file` instead of standard output")
	c.Flags().BoolVar(&x.Archive, "archive", true, "with messages")
	c.Flags().BoolVar(&x.Passwords, "passwords", true, "include the data that checks passwords")
	return c
}

func (a *app) userImport() *cobra.Command {
	var in api.ImportInput
	c := &cobra.Command{
		Use:   "import FILE...",
		Short: "Create accounts from files written by parley, Prosody or ejabberd (XEP-0227)",
		Args:  cobra.MinimumNArgs(1),
		Long: "Reads files as `parley user export`, `ejabberdctl export_piefxis` and prosody-migrator (type xep0227) " +
			"write them, and the files\n" +
			"that they include. Their domains have to be hosted here. Accounts that exist stay unchanged; with " +
			"--merge the file's data is added to them.",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				var v api.Imported
				wholes, parts := partedFiles(args)
				included := make(map[string]bool)
				for _, name := range append(wholes, parts...) {
					if len(wholes) > 0 && included[filepath.Clean(name)] {
						continue // it was read as part of another file
					}
					if slices.Contains(parts, name) {
						return fmt.Errorf("%s: this is a part of an export: name the file that includes it", name)
					}
					one, err := importFile(c.Context(), cl, in, name, included)
					v.Users, v.Messages, v.Problems, v.More = append(v.Users, one.Users...), v.Messages+one.Messages,
						append(v.Problems, one.Problems...), v.More+one.More
					v.Kinds = summed(v.Kinds, one.Kinds)
					if err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
				}
				a.show(v, func(w io.Writer) {
					for _, p := range v.Problems {
						fmt.Fprintln(w, printable(p))
					}
					if v.More > 0 {
						fmt.Fprintf(w, "and %d more\n", v.More)
					}
					summary(w, v.Kinds)
				})
				if len(v.Problems) > 0 {
					return errPartial
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&in.Merge, "merge", false, "add to existing accounts")
	c.Flags().BoolVar(&in.ReuseName, "reuse-name", false, "accept accounts whose names were deleted recently, too")
	return c
}

// summed adds what another file had.
func summed(all, more []api.Kind) []api.Kind {
	for _, k := range more {
		i := slices.IndexFunc(all, func(a api.Kind) bool { return a.Name == k.Name })
		if i < 0 {
			all = append(all, k)
			continue
		}
		all[i].Taken += k.Taken
		all[i].LeftOut += k.LeftOut
	}
	return all
}

// summary ends an import: how much of each kind was taken and left out.
func summary(w io.Writer, kinds []api.Kind) {
	if len(kinds) == 0 {
		fmt.Fprintln(w, "The files contain no accounts.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "taken\tleft out\t ")
	for _, k := range kinds {
		fmt.Fprintf(t, "%d\t%d\t %s\n", k.Taken, k.LeftOut, k.Name)
	}
	t.Flush()
}

// partedFiles tells files of their own from those that are for another to include: ejabberdctl writes both into one
// folder, where a pattern of names finds all of them.
func partedFiles(names []string) (wholes, parts []string) {
	for _, name := range names {
		if root := rootOf(name); root == "host" || root == "user" {
			parts = append(parts, name)
		} else {
			wholes = append(wholes, name)
		}
	}
	return wholes, parts
}

// rootOf returns the name of a file's first element; "" if it has none.
func rootOf(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	for d := xml.NewDecoder(f); ; {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name.Local
		}
	}
}

// importFile imports a file, and notes those that it includes.
func importFile(ctx context.Context, cl *api.Client, in api.ImportInput, name string,
	included map[string]bool) (api.Imported, error) {
	pr, pw := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := whole(pw, name, func(part string) { included[filepath.Join(filepath.Dir(name), part)] = true })
		pw.CloseWithError(err)
		read <- err
	}()
	in.Content = pr
	v, err := api.Import.Do(ctx, cl, in)
	pr.Close()
	if rerr := <-read; rerr != nil && !errors.Is(rerr, io.ErrClosedPipe) {
		return v, rerr // that is why the server did not get all of it
	}
	return v, err
}

const nsXInclude = "http://www.w3.org/2001/XInclude"

// whole writes a file with the files that it includes in their places (XEP-0227, section 4). They have to be below its
// directory; tell is called for each.
func whole(w io.Writer, name string, tell func(part string)) error {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer root.Close()
	return include(w, root, filepath.Base(name), 0, tell)
}

// maxInclude: the root's file includes hosts, which include users, and no further.
const maxInclude = 3

func include(w io.Writer, root *os.Root, name string, depth int, tell func(part string)) error {
	if depth > maxInclude {
		return fmt.Errorf("%s: files include each other too deeply", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(io.NewSectionReader(f, 0, size))
	begin, level := int64(0), 0
	upTo := func(end int64) error {
		_, err := io.Copy(w, io.NewSectionReader(f, begin, end-begin))
		return err
	}
	for {
		at := d.InputOffset()
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return upTo(size)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		switch t := t.(type) {
		case xml.ProcInst: // there is only one declaration in a document
			if depth > 0 {
				if err := upTo(at); err != nil {
					return err
				}
				begin = d.InputOffset()
			}
		case xml.Directive:
			return fmt.Errorf("%s: it has a document type", name)
		case xml.EndElement:
			level--
		case xml.StartElement:
			// An element deeper than a child of a user is the user's own data (section 4).
			if t.Name != (xml.Name{Space: nsXInclude, Local: "include"}) || level+depth > maxInclude {
				level++
				continue
			}
			href, err := local(t)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			part := path.Join(path.Dir(filepath.ToSlash(name)), href)
			tell(filepath.FromSlash(part))
			if err := errors.Join(upTo(at), d.Skip(), include(w, root, part, depth+1, tell)); err != nil {
				return err
			}
			begin = d.InputOffset()
		}
	}
}

// local reads where an include points: a relative URI, of a file.
func local(t xml.StartElement) (string, error) {
	href := ""
	for _, at := range t.Attr {
		switch at.Name.Local {
		case "href":
			href = at.Value
		case "parse", "xpointer":
			return "", fmt.Errorf("include with %s is not supported", at.Name.Local)
		}
	}
	u, err := url.Parse(href)
	if err != nil || href == "" || u.Scheme != "" || u.Host != "" || u.Path == "" || path.IsAbs(u.Path) {
		return "", fmt.Errorf("%q includes no file beside it", href)
	}
	return u.Path, nil
}
