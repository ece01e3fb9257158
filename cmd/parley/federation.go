package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"parley/admin/api"

	"github.com/spf13/cobra"
)

func (a *app) federationCommand() *cobra.Command {
	return a.noun("federation", "Other servers: list, test, rules, block, allow, forget, import, only-listed",
		a.federationList(), a.federationTest(), a.federationRules(),
		a.federationSet("block", "Block a domain (*.DOMAIN: all below it)"),
		a.federationSet("allow", "Allow a domain, whatever the lists say"),
		a.federationSet("certificate", "Allow a domain only if it shows a valid certificate"),
		a.federationSet("dialback", "Accept dialback from a domain even if others need certificates"),
		a.federationForget(), a.federationImport(), a.federationOnlyListed())
}

func (a *app) federationList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the domains with traffic, and whether it worked", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				ds, err := api.All(c.Context(), cl, api.ListDomains, api.Part{})
				if err != nil {
					return err
				}
				a.show(ds, func(w io.Writer) {
					var rows [][]string
					for _, d := range ds {
						in, out := 0, 0
						for _, s := range d.Streams {
							if s.Incoming {
								in++
							} else {
								out++
							}
						}
						until := ""
						if !d.Certificate.NotAfter.IsZero() {
							until = stamp(d.Certificate.NotAfter)
						}
						rows = append(rows, []string{
							d.Domain, fmt.Sprintf("%d in, %d out", in, out),
							stamp(latest(d.LastIn, d.LastOut)), until, d.Rule, d.Error,
						})
					}
					table(w, "No traffic with other servers since the server started.",
						"DOMAIN\tSTREAMS\tLAST\tCERTIFICATE UNTIL\tRULE\tERROR", rows)
				})
				return nil
			})
		},
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

var errNotReached = errors.New("the domain cannot be reached")

func (a *app) federationTest() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "test DOMAIN", Short: "Test the connection to a domain, step by step", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				steps, err := api.TestDomain.Do(c.Context(), cl.On(host), api.InDomain{Domain: args[0]})
				if err != nil {
					return err
				}
				a.show(steps, func(w io.Writer) {
					var rows [][]string
					for _, s := range steps {
						state := "ok"
						if !s.OK {
							state = "FAILS"
						}
						rows = append(rows, []string{s.Name, state, s.Took.Round(time.Millisecond).String(), s.Text})
					}
					table(w, "", "STEP\tSTATE\tTOOK\tFOUND", rows)
				})
				if len(steps) == 0 || !steps[len(steps)-1].OK {
					return errNotReached
				}
				return nil
			})
		},
	}
	hostFlag(c, &host)
	return c
}

func (a *app) federationRules() *cobra.Command {
	return &cobra.Command{
		Use: "rules", Short: "List the rules for domains", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				rs, err := api.ListDomainRules.Do(c.Context(), cl, api.None{})
				if err != nil {
					return err
				}
				a.show(rs, func(w io.Writer) {
					if rs.OnlyListed {
						fmt.Fprintln(w, "The server talks only to domains that are allowed here "+
							"or in the configuration.")
					}
					var rows [][]string
					for _, r := range rs.Rules {
						rows = append(rows, []string{r.Domain, r.Action, stamp(r.Since), r.Note})
					}
					table(w, "There are no rules.", "DOMAIN\tRULE\tSINCE\tNOTE", rows)
				})
				return nil
			})
		},
	}
}

func (a *app) federationSet(action, short string) *cobra.Command {
	var note string
	c := &cobra.Command{
		Use: action + " DOMAIN...", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, action, func(domain string) error {
					in := api.SetDomainRuleInput{InDomain: api.InDomain{Domain: domain}}
					in.Body.Action, in.Body.Note = action, note
					_, err := api.SetDomainRule.Do(c.Context(), cl, in)
					return err
				})
			})
		},
	}
	c.Flags().StringVar(&note, "note", "", "why, for other administrators")
	return c
}

func (a *app) federationForget() *cobra.Command {
	return &cobra.Command{
		Use: "forget DOMAIN...", Short: "Remove the rule for a domain", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "forgotten", func(domain string) error {
					_, err := api.DeleteDomainRule.Do(c.Context(), cl, api.InDomain{Domain: domain})
					return err
				})
			})
		},
	}
}

// importBatch is how many rules are sent at once: less than what the server takes.
const importBatch = 500

func (a *app) federationImport() *cobra.Command {
	var note string
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Block the domains of a list, one a line; # begins a comment, - is standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			in := c.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			rs, err := readList(in, note)
			if err != nil {
				return err
			}
			return a.with(func(cl *api.Client) error {
				for from := 0; from < len(rs); from += importBatch {
					some := api.NewDomainRules{Rules: rs[from:min(from+importBatch, len(rs))]}
					if _, err := api.SetDomainRules.Do(c.Context(), cl, api.With(some)); err != nil {
						return fmt.Errorf("after %d domains: %w", from, err)
					}
				}
				a.done(map[string]int{"blocked": len(rs)}, "%d domains are blocked", len(rs))
				return nil
			})
		},
	}
	c.Flags().StringVar(&note, "note", "imported", "the source of the list")
	return c
}

func readList(in io.Reader, note string) (rs []api.DomainRule, err error) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		// Lists of Prosody's and others have a column of reasons behind the domain.
		if fields := strings.FieldsFunc(text, func(r rune) bool {
			return r == ' ' || r == '\t' || r == ',' || r == ';'
		}); len(fields) > 0 {
			rs = append(rs, api.DomainRule{Domain: fields[0], Action: "block", Note: note})
		}
	}
	return rs, lines.Err()
}

func (a *app) federationOnlyListed() *cobra.Command {
	return &cobra.Command{
		Use:       "only-listed on|off",
		Short:     "Talk only to allowed domains, or to all that are not blocked",
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"on", "off"},
		RunE: func(c *cobra.Command, args []string) error {
			on := args[0] == "on"
			if !on && args[0] != "off" {
				return fmt.Errorf("%q is neither on nor off", args[0])
			}
			return a.with(func(cl *api.Client) error {
				if _, err := api.SetOnlyListed.Do(c.Context(), cl,
					api.With(api.OnlyListed{OnlyListed: on})); err != nil {
					return err
				}
				a.done(map[string]bool{"only_listed": on}, "only listed domains: %s", args[0])
				return nil
			})
		},
	}
}
