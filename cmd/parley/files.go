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

	"github.com/spf13/cobra"

	"parley/admin"
)

func (a *app) userExport() *cobra.Command {
	var x admin.Export
	var file string
	c := &cobra.Command{
		Use: "export [ADDRESS...]", Short: "Write accounts with all that is theirs to a file (XEP-0227); without addresses all",
		Long: "Writes accounts with contacts, messages, cards, nodes, bookmarks, blocked addresses and what passwords are known by.\n" +
			"Whoever has the file can try passwords on it: keep it as safe as the database.",
		Example: "  parley user export --output accounts.xml\n  parley user export alice@example.org --archive=false",
		RunE: func(c *cobra.Command, args []string) error {
			x.Addresses = args
			return a.with(func(cl *admin.Client) error {
				if file == "" || file == "-" {
					return cl.Export(c.Context(), x, a.out)
				}
				f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					return err
				}
				err = cl.Export(c.Context(), x, f)
				if err = errors.Join(err, f.Close()); err != nil {
					return errors.Join(err, os.Remove(file))
				}
				return nil
			})
		},
	}
	hostFlag(c, &x.Host)
	c.Flags().StringVar(&file, "output", "", "write to a new `file` rather than standard output")
	c.Flags().BoolVar(&x.Archive, "archive", true, "with messages")
	c.Flags().BoolVar(&x.Passwords, "passwords", true, "with what passwords are known by")
	return c
}

func (a *app) userImport() *cobra.Command {
	var in admin.Import
	c := &cobra.Command{
		Use: "import FILE...", Short: "Make accounts from files that parley, Prosody or ejabberd have written (XEP-0227)", Args: cobra.MinimumNArgs(1),
		Long: "Reads files as `parley user export`, `ejabberdctl export_piefxis` and prosody-migrator (type xep0227) write them, with those that they\n" +
			"include. Their domains have to be hosted here. Accounts that exist are left as they are, or with --merge get what the file has, too.",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *admin.Client) error {
				var v admin.Imported
				for _, name := range args {
					one, err := importFile(c.Context(), cl, in, name)
					v.Users, v.Messages, v.Problems, v.More = append(v.Users, one.Users...), v.Messages+one.Messages, append(v.Problems, one.Problems...), v.More+one.More
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
					fmt.Fprintf(w, "%d accounts, %d messages\n", len(v.Users), v.Messages)
				})
				if len(v.Problems) > 0 {
					return errPartial
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&in.Merge, "merge", false, "add to accounts that exist")
	return c
}

func importFile(ctx context.Context, cl *admin.Client, in admin.Import, name string) (admin.Imported, error) {
	pr, pw := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := whole(pw, name)
		pw.CloseWithError(err)
		read <- err
	}()
	v, err := cl.Import(ctx, in, pr)
	pr.Close()
	if rerr := <-read; rerr != nil && !errors.Is(rerr, io.ErrClosedPipe) {
		return v, rerr // that is why the server did not get all of it
	}
	return v, err
}

const nsXInclude = "http://www.w3.org/2001/XInclude"

// whole writes a file with the files that it includes in their places (XEP-0227, section 4). They have to be below its
// directory.
func whole(w io.Writer, name string) error {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer root.Close()
	return include(w, root, filepath.Base(name), 0)
}

// maxInclude: the root's file includes hosts, which include users, and no further.
const maxInclude = 3

func include(w io.Writer, root *os.Root, name string, depth int) error {
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
			// What is deeper than a child of a user is the user's own data (section 4).
			if t.Name != (xml.Name{Space: nsXInclude, Local: "include"}) || level+depth > maxInclude {
				level++
				continue
			}
			href, err := local(t)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := errors.Join(upTo(at), d.Skip(), include(w, root, path.Join(path.Dir(filepath.ToSlash(name)), href), depth+1)); err != nil {
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
