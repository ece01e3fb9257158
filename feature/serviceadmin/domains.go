package serviceadmin

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"parley/server"
	"parley/wire/form"
	"parley/wire/jid"
)

// Domains keeps the rules about other servers, for all hosts.
type Domains interface {
	// Listed gives the domains that are blocked, or those that are always allowed; "*.example.org" stands for all
	// domains below one.
	Listed(ctx context.Context, blocked bool) ([]string, error)
	// SetListed replaces a list. A domain is in one list only: adding it removes it from the other.
	SetListed(ctx context.Context, host string, blocked bool, domains []string) error
}

// domainLists makes the commands of sections 4.11 and 4.12, for domains only: people are blocked by each person
// (XEP-0191) or have no account. The lists hold for all hosts, so only operators may change them.
func (s *service) domainLists() []server.Command {
	list := func(name, title, field, about string, blocked bool) server.Command {
		c := s.command(name, title, nil, func(ctx context.Context, f form.Form) (string, *form.Form, error) {
			if f.Type != form.Submit || !f.Has(field) && f.About() != ns {
				return "", nil, server.BadRequest
			}
			var ds []string
			for _, d := range slices.Concat(f.Values(field), f.Values(fieldBelow)) {
				if d = strings.TrimSpace(d); d != "" {
					ds = append(ds, d)
				}
			}
			was, err := s.domains.Listed(ctx, blocked)
			if err != nil {
				return "", nil, err
			}
			if !f.Has(fieldBelow) { // a client that knows only the XEP's field has not seen the others
				_, below := parted(was)
				for _, d := range below {
					if !slices.Contains(ds, d) {
						ds = append(ds, d)
					}
				}
			}
			// the form could not show all of them, so those missing are not meant to be removed
			if len(was) > form.MaxValues {
				return "", nil, tooMany(len(was))
			}
			return "The list has been changed.", nil, s.domains.SetListed(ctx, s.h.Domain, blocked, ds)
		})
		c.Form = func(ctx context.Context, _ jid.JID) (*form.Form, error) {
			ds, err := s.domains.Listed(ctx, blocked)
			if err != nil {
				return nil, err
			}
			if len(ds) > form.MaxValues {
				return nil, tooMany(len(ds))
			}
			f := form.New(form.Ask, ns)
			f.Title, f.Instructions = title, about
			whole, below := parted(ds)
			return f.Add(field, form.JIDMulti, "Domains, one on each line", whole...).
				Add(fieldBelow, form.TextMulti, "For all domains below one: *.example.org", below...), nil
		}
		return c
	}
	return s.only(s.rules.Operates,
		list("edit-blacklist", "Edit the blacklist", "blacklistjids",
			"No host of this server talks to these domains, in either direction.", true),
		list("edit-whitelist", "Edit the whitelist", "whitelistjids",
			"The server talks to these domains even if a rule for a domain above blocks them. If it talks only to "+
				"listed domains, these are all it talks to.", false))
}

// fieldBelow holds the listed "*.example.org" names: they are not addresses, so the XEP's field cannot hold them.
const fieldBelow = "x-below"

func parted(ds []string) (whole, below []string) {
	for _, d := range ds {
		if strings.HasPrefix(d, "*.") {
			below = append(below, d)
		} else {
			whole = append(whole, d)
		}
	}
	return whole, below
}

func tooMany(n int) error {
	return &server.NoteError{
		Text: "There are " + strconv.Itoa(n) + " domains on this list, too many for a form: see `parley federation`.",
	}
}
