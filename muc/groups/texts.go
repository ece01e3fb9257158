package groups

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// groupTexts gives the text commands of groups and themes, in the order in which !help shows them.
func groupTexts() []textCommand {
	return []textCommand{
		{"help", "", "this list", inGroup | inTheme, muc.None, textHelp},
		{
			"theme",
			"NAME",
			"start a theme; as a reply, with the message that you reply to",
			inGroup | inTheme,
			muc.Member,
			textTheme,
		},
		{"themes", "", "list the themes of this group", inGroup, muc.None, textThemes},
		{"members", "", "list the people in here", inGroup | inTheme, muc.Member, textMembers},
		{"invite", "ADDRESS", "add somebody here", inGroup | inTheme, muc.Admin, textInvite},
		{"remove", "ADDRESS", "remove somebody from here", inGroup | inTheme, muc.Admin, textRemove},
		{"requests", "", "list the requests to join", inGroup, muc.Admin, textRequests},
		{"approve", "ADDRESS", "accept a request to join", inGroup, muc.Admin, textApprove},
		{"deny", "ADDRESS", "decline a request to join", inGroup, muc.Admin, textDeny},
		{"rename", "NAME", "rename this theme", inTheme, muc.Member, textRename},
		{
			"close",
			"",
			"close this theme: people can read it but not write in it",
			inTheme,
			muc.Member,
			textState(org.ThemeClosed),
		},
		{"reopen", "", "reopen this theme", inTheme, muc.Member, textState(org.ThemeOpen)},
		{
			"archive",
			"",
			"close this theme and hide it from everyone's list",
			inTheme,
			muc.Admin,
			textState(org.ThemeArchived),
		},
		{"follow", "", "follow this theme: your clients enter it", inTheme, muc.None, textFollow(store.FollowYes)},
		{"mute", "", "mute this theme: your clients no longer enter it", inTheme, muc.None,
			textFollow(store.FollowMuted)},
		{"leave", "", "leave this group", inGroup, muc.Member, textLeave},
	}
}

func (c *textCall) org() *org.Org { return c.s.cfg.Org }

func (c *textCall) host() string { return c.s.host.Domain }

func textHelp(ctx context.Context, c *textCall) (string, error) {
	a, err := c.org().Affiliation(ctx, c.host(), c.group, c.theme, c.who)
	at := inGroup
	if c.theme != "" {
		at = inTheme
	}
	if err != nil {
		return "", err
	}
	return c.help(ctx, at, a), nil
}

// textTheme makes a theme. It answers nothing where the line about the new theme is the answer.
func textTheme(ctx context.Context, c *textCall) (string, error) {
	if c.rest == "" {
		return "", server.WithText(server.NotAcceptable, "write !theme and its name")
	}
	source, quote, err := c.s.source(ctx, c.room, c.group, c.theme, c.who, c.about)
	if err != nil {
		return "", err
	}
	n := org.NewTheme{Name: c.rest, Creator: c.who, Source: source}
	if n.Restricted, n.People, err = c.kept(ctx); err != nil {
		return "", err
	}
	t, err := c.s.makeThemeWith(ctx, c.by(), c.group, n, quote)
	if err != nil || !n.Restricted {
		return "", err
	}
	return "The theme " + t.Name + " is for the people of this one: xmpp:" + c.org().RoomJID(
		c.host(),
		t.Room,
	).String() + "?join", nil
}

// kept says whether the place is for some people only, and for whom. A theme that is started there is for the same
// people.
func (c *textCall) kept(ctx context.Context) (restricted bool, people []jid.JID, err error) {
	if c.theme == "" {
		return false, nil, nil
	}
	t, err := c.org().Theme(ctx, c.host(), c.theme)
	if err != nil || !t.Restricted {
		return false, nil, err
	}
	ms, err := c.org().ThemePeople(ctx, c.host(), c.theme)
	for _, m := range ms {
		if j, err := jid.Parse(m.JID); err == nil && m.Role == store.RoleMember {
			people = append(people, j)
		}
	}
	return true, people, err
}

const maxTextLines = 50 // of an answer's list

func cut(lines []string) []string {
	if len(lines) > maxTextLines {
		n := len(lines) - maxTextLines
		lines = append(lines[:maxTextLines:maxTextLines], fmt.Sprintf("and %d more", n))
	}
	return lines
}

func textThemes(ctx context.Context, c *textCall) (string, error) {
	ts, err := c.org().Themes(ctx, c.host(), c.group, c.who)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, t := range slices.Backward(ts) { // the newest first
		line := t.Name + ": xmpp:" + c.org().RoomJID(c.host(), t.Room).String() + "?join"
		if s := org.StateOf(t); s != org.ThemeOpen {
			line += " (" + s + ")"
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return "There are no themes yet. Start one: !theme NAME", nil
	}
	return strings.Join(cut(lines), "\n"), nil
}

func textMembers(ctx context.Context, c *textCall) (string, error) {
	g, err := c.org().GroupByID(ctx, c.host(), c.group)
	if err != nil {
		return "", err
	}
	mine, err := c.org().Affiliation(ctx, c.host(), c.group, c.theme, c.who)
	if err != nil {
		return "", err
	}
	if !org.RulesOf(g).ShowAddresses && !muc.AtLeast(mine, muc.Admin) {
		return "", server.WithText(server.Forbidden, "only moderators see who is in this group")
	}
	all, err := c.org().AffiliationsOf(ctx, c.host(), c.group, c.theme)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, a := range []struct{ affiliation, title string }{
		{muc.Owner, " (owner)"},
		{muc.Admin, " (moderator)"},
		{muc.Member, ""},
	} {
		var js []string
		for j, is := range all {
			if is == a.affiliation {
				js = append(js, j.String()+a.title)
			}
		}
		slices.Sort(js)
		lines = append(lines, js...)
	}
	return strings.Join(cut(lines), "\n"), nil
}

// person reads an address. A name alone is an account of this host.
func (c *textCall) person() (jid.JID, error) {
	s := strings.TrimPrefix(c.rest, "xmpp:")
	if s != "" && !strings.Contains(s, "@") {
		s += "@" + c.host()
	}
	j, err := jid.Parse(s)
	if err != nil || j.Local() == "" {
		return j, server.WithText(server.NotAcceptable, "write the address of a person, like alice@"+c.host())
	}
	return j.Bare(), nil
}

func (c *textCall) set(ctx context.Context, role, done string) (string, error) {
	who, err := c.person()
	if err != nil {
		return "", err
	}
	if c.theme != "" {
		err = c.org().SetThemePeople(ctx, c.by(), c.host(), c.theme, []store.Member{{JID: who.String(), Role: role}})
	} else {
		err = c.org().SetMember(ctx, c.by(), c.host(), c.group, who, role)
	}
	return who.String() + " " + done, err
}

func textInvite(ctx context.Context, c *textCall) (string, error) {
	return c.set(ctx, store.RoleMember, "has been added.")
}

func textRemove(ctx context.Context, c *textCall) (string, error) {
	return c.set(ctx, "", "has been removed.")
}

func textRename(ctx context.Context, c *textCall) (string, error) {
	_, err := c.org().RenameTheme(ctx, c.by(), c.host(), c.theme, c.rest)
	return "", err
}

func textState(to string) func(context.Context, *textCall) (string, error) {
	return func(ctx context.Context, c *textCall) (string, error) {
		return "", c.org().SetThemeState(ctx, c.by(), c.host(), c.theme, to)
	}
}

func textLeave(ctx context.Context, c *textCall) (string, error) {
	return "", c.org().Leave(ctx, c.by(), c.host(), c.group)
}

func textRequests(ctx context.Context, c *textCall) (string, error) {
	rs, err := c.org().Requests(ctx, c.host(), c.group)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, r := range rs {
		lines = append(lines, strings.TrimSuffix(r.JID+": "+r.Reason, ": "))
	}
	if len(lines) == 0 {
		return "Nobody has asked to join.", nil
	}
	return strings.Join(cut(append(lines, "Answer with !approve ADDRESS or !deny ADDRESS.")), "\n"), nil
}

func textApprove(ctx context.Context, c *textCall) (string, error) {
	return c.answer(ctx, true, "is a member now.")
}

func textDeny(ctx context.Context, c *textCall) (string, error) {
	return c.answer(ctx, false, "has been declined.")
}

func (c *textCall) answer(ctx context.Context, yes bool, done string) (string, error) {
	who, err := c.person()
	if err != nil {
		return "", err
	}
	return who.String() + " " + done, c.org().AnswerRequest(ctx, c.by(), c.host(), c.group, who, yes)
}

func textFollow(state string) func(context.Context, *textCall) (string, error) {
	return func(ctx context.Context, c *textCall) (string, error) {
		if c.who.Domain() != c.host() {
			return "", server.WithText(server.NotAllowed, "people of other servers keep their own bookmarks")
		}
		answer := "You follow this theme."
		if state == store.FollowMuted {
			answer = "Your clients no longer enter this theme."
		}
		return answer, c.org().Follow(ctx, c.host(), c.theme, c.who.Local(), state)
	}
}
