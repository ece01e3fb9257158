package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"parley/admin/api"
	"parley/people"

	"github.com/spf13/cobra"
)

func (a *app) inviteCommand() *cobra.Command {
	return a.noun("invite", "Invitations: create, list, resend, extend, revoke", a.inviteCreate(), a.inviteList(),
		a.inviteResend(), a.inviteExtend(), a.inviteRevoke())
}

func (a *app) inviteCreate() *cobra.Command {
	var n newInvitation
	var host string
	c := &cobra.Command{
		Use:   "create [ADDRESS]",
		Short: "Create a link for one account, or for anyone who has the link",
		Args:  cobra.MaximumNArgs(1),
		Long: `Creates a link with which somebody gets an account. With an address, the link is for that account, which is created if it does
not exist. Without one, people who open the link choose an address. Keep the link as safe as a password.`,
		Example: "  parley invite create alice --name 'Alice Martin' --email alice@work.example --send\n" +
			"  parley invite create --uses 20 --valid 3d",
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				if len(args) == 0 {
					i, err := n.open(c.Context(), cl.On(host))
					if err == nil {
						a.showLink(shownInvitation(i))
					}
					return err
				}
				on, name, err := account(args[0])
				if err != nil {
					return err
				}
				on = cmp.Or(on, host)
				i, err := n.personal(c.Context(), cl.On(on), name)
				if err == nil {
					a.showLink(shownInvitation(i))
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	f := c.Flags()
	f.StringVar(&n.Name, "name", "", "full `name`, of a new account")
	f.BoolVar(&n.ReuseName, "reuse-name", false, "reuse the name of an account that was deleted recently")
	f.StringVar(&n.Email, "email", "", "work e-mail `address`, of a new account")
	f.StringVar(&n.Role, "role", "", "`role` of a new account: member, supervisor, admin, owner")
	f.StringSliceVar(&n.Groups, "group", nil, "`group` that a new account is in (may be repeated)")
	f.StringVar(&n.Lang, "lang", "", "en or fr")
	f.StringVar(&n.Valid, "valid", "", "how long the link is valid, like 12h or 7d (default: from the settings)")
	f.IntVar(&n.MaxUses, "uses", 1, "how many people can use a link without an address")
	f.StringVar(&n.Note, "note", "", "a personal message")
	f.BoolVar(&n.Send, "send", false, "send it by e-mail")
	return c
}

// newInvitation holds the flags of a new invitation.
type newInvitation struct {
	Name, Email, Role, Lang string
	Groups                  []string
	ReuseName               bool
	Valid                   string
	MaxUses                 int
	Note                    string
	Send                    bool
}

// ofAccount says whether flags describe a new account.
func (n newInvitation) ofAccount() bool { return n.Name+n.Email+n.Role != "" || len(n.Groups) > 0 }

// open creates a link for people who choose their names.
func (n newInvitation) open(ctx context.Context, cl *api.Client) (api.Invitation, error) {
	if n.ofAccount() || n.Send {
		return api.Invitation{}, wrong("address",
			"name the account: these options are for one account, not for a link that several people use")
	}
	return api.CreateInvitation.Do(ctx, cl, api.With(api.OpenInvite{
		Valid: n.Valid,
		Uses:  n.MaxUses,
		Note:  n.Note,
		Lang:  n.Lang,
	}))
}

// personal invites somebody to an account, and creates the account if it does not exist.
func (n newInvitation) personal(ctx context.Context, cl *api.Client, name string) (api.Invitation, error) {
	at := api.InPerson{Name: name}
	how := api.PersonalInvite{Valid: n.Valid, Note: n.Note, Send: n.Send, Lang: n.Lang}
	there, err := api.GetPerson.Do(ctx, cl, at)
	var refused *api.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		made, err := api.CreatePerson.Do(ctx, cl, api.With(api.NewPerson{
			Name: name,
			Profile: people.Profile{
				FullName: told(n.Name),
				Email:    told(n.Email),
				Role:     told(n.Role),
				Lang:     told(n.Lang),
			},
			Groups:     n.Groups,
			ReuseName:  n.ReuseName,
			Invitation: &how,
		}))
		if err != nil {
			return api.Invitation{}, err
		}
		return *made.Invitation, nil
	case err != nil:
		return api.Invitation{}, err
	case n.ofAccount():
		return api.Invitation{}, wrong("address",
			"the account %s exists already: leave out the options for a new account", there.Address)
	}
	return api.InvitePerson.Do(ctx, cl, api.InvitePersonInput{InPerson: at, Body: how})
}

// told returns a pointer to a text; nil for an empty one.
func told(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// invitation is an invitation in the output.
type invitation struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`              // "invite", "reset"
	Address string    `json:"address,omitempty"` // the account's localpart; "": people choose it
	Email   string    `json:"email,omitempty"`   // where the mail went
	State   string    `json:"state"`             // open, accepted, declined, revoked, expired
	Uses    int       `json:"uses"`
	MaxUses int       `json:"max_uses"`
	By      string    `json:"by,omitempty"` // localpart; "" is the command line
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Link    string    `json:"link,omitempty"` // "" if it is no longer valid
	URI     string    `json:"uri,omitempty"`  // the same for apps
}

func shownInvitation(i api.Invitation) invitation {
	out := invitation{
		ID:      i.ID,
		Kind:    i.Kind,
		Address: i.Address,
		Email:   i.Email,
		State:   i.State,
		Uses:    i.Uses,
		MaxUses: i.MaxUses,
		By:      i.Inviter,
		Created: i.Created,
		Expires: i.Expires,
		Link:    i.Link,
		URI:     i.URI,
	}
	return out
}

// showLink prints an invitation with its link.
func (a *app) showLink(i invitation) {
	a.show(i, func(w io.Writer) {
		fmt.Fprintln(w, i.Link)
		sent := ""
		if i.Email != "" {
			sent = ", sent to " + printable(i.Email)
		}
		fmt.Fprintf(w, "invitation %s, valid until %s%s\n", i.ID, stamp(i.Expires), sent)
	})
}

func (a *app) inviteList() *cobra.Command {
	var host string
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List open invitations, newest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(cl *api.Client) error {
				found, err := parts(200, func(skip, limit int) ([]api.Invitation, error) {
					p, err := api.ListInvitations.Do(c.Context(), cl.On(host),
						api.FindInvitations{Kind: "any", Offset: skip, Limit: limit})
					return p.Invitations, err
				})
				if err != nil {
					return err
				}
				is := []invitation{}
				for _, i := range found {
					if all || i.State == "open" {
						is = append(is, shownInvitation(i))
					}
				}
				a.show(is, func(w io.Writer) {
					var rows [][]string
					for _, i := range is {
						whom, by := i.Address, i.By
						if whom == "" {
							whom = fmt.Sprintf("anyone (%d of %d)", i.Uses, i.MaxUses)
						}
						if by == "" {
							by = "-"
						}
						rows = append(rows, []string{i.ID, i.Kind, whom, i.State, by, stamp(i.Expires), i.Link})
					}
					table(w, "There are no invitations.", "ID\tKIND\tFOR\tSTATE\tBY\tVALID UNTIL\tLINK", rows)
				})
				return nil
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().BoolVar(&all, "all", false, "include closed invitations")
	return c
}

func (a *app) inviteResend() *cobra.Command {
	var host string
	var send bool
	c := &cobra.Command{
		Use: "resend ID", Short: "Create a new link; the old one stops working", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				in := api.ResendInvitationInput{
					InInvitation: api.InInvitation{ID: args[0]},
					Body:         api.Sending{Send: send},
				}
				i, err := api.ResendInvitation.Do(c.Context(), cl.On(host), in)
				if err == nil {
					a.showLink(shownInvitation(i))
				}
				return err
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().BoolVar(&send, "send", false, "send it by e-mail")
	return c
}

func (a *app) inviteExtend() *cobra.Command {
	var host, valid string
	c := &cobra.Command{
		Use: "extend ID...", Short: "Extend the validity of links, from now", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "extended", func(id string) error {
					in := api.ExtendInvitationInput{InInvitation: api.InInvitation{ID: id}}
					in.Body.Valid = valid
					_, err := api.ExtendInvitation.Do(c.Context(), cl.On(host), in)
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	c.Flags().StringVar(&valid, "valid", "", "for how long, like 12h or 7d (default: from the settings)")
	return c
}

func (a *app) inviteRevoke() *cobra.Command {
	var host string
	c := &cobra.Command{
		Use: "revoke ID...", Short: "Revoke links", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(cl *api.Client) error {
				return a.each(args, "revoked", func(id string) error {
					_, err := api.RevokeInvitation.Do(c.Context(), cl.On(host), api.InInvitation{ID: id})
					return err
				})
			})
		},
	}
	hostFlag(c, &host)
	return c
}
