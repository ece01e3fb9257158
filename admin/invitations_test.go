package admin

import (
	"context"
	"io"
	"testing"
)

func (r *recorder) Invitations(_ context.Context, h string, skip, limit int) ([]Invitation, error) {
	r.note("invitations", h, skip, limit)
	return []Invitation{{ID: "1", Created: when, Expires: when}}, r.err
}
func (r *recorder) Invite(_ context.Context, n NewInvitation) (Invitation, error) {
	r.note("invite", n.Address, n.Valid, n.MaxUses, n.Send)
	return Invitation{ID: "1", Link: "l"}, r.err
}
func (r *recorder) ResendInvitation(_ context.Context, h, id string, send bool) (Invitation, error) {
	r.note("resend", h, id, send)
	return Invitation{ID: id}, r.err
}
func (r *recorder) RevokeInvitation(_ context.Context, h, id string) (Invitation, error) {
	r.note("revoke", h, id)
	return Invitation{ID: id}, r.err
}
func (r *recorder) ExtendInvitation(_ context.Context, h, id, valid string) (Invitation, error) {
	r.note("extend", h, id, valid)
	return Invitation{ID: id}, r.err
}
func (r *recorder) Tokens(_ context.Context, h string) ([]Token, error) {
	r.note("tokens", h)
	return []Token{{ID: "t"}}, r.err
}
func (r *recorder) CreateToken(_ context.Context, n NewToken) (Token, error) {
	r.note("token", n.Owner, n.Name, n.Scopes, n.Valid)
	return Token{ID: "t", Secret: "s"}, r.err
}
func (r *recorder) RevokeToken(_ context.Context, h, id string) error {
	r.note("revoke token", h, id)
	return r.err
}

// What a client asks for is what is asked of the operations.
func TestInvitationsOverSocket(t *testing.T) {
	r := new(recorder)
	c := NewClient(serve(t, r, io.Discard))
	defer c.Close()
	ctx := t.Context()
	for _, tc := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := c.Invitations(ctx, "a.example", 5, 10); return err }, `invitations["a.example" '\x05' '\n']`},
		{func() error {
			v, err := c.Invite(ctx, NewInvitation{Address: "x", Valid: "7d", MaxUses: 2, Send: true})
			if v.Link != "l" {
				t.Errorf("%+v", v)
			}
			return err
		}, `invite["x" "7d" '\x02' %!q(bool=true)]`},
		{func() error { _, err := c.ResendInvitation(ctx, "", "7", true); return err }, `resend["" "7" %!q(bool=true)]`},
		{func() error { _, err := c.RevokeInvitation(ctx, "h", "7"); return err }, `revoke["h" "7"]`},
		{func() error { _, err := c.ExtendInvitation(ctx, "h", "7", "3d"); return err }, `extend["h" "7" "3d"]`},
		{func() error { _, err := c.Tokens(ctx, "h"); return err }, `tokens["h"]`},
		{func() error {
			_, err := c.CreateToken(ctx, NewToken{Owner: "x", Name: "n", Scopes: []string{"a", "b"}, Valid: "1d"})
			return err
		}, `token["x" "n" ["a" "b"] "1d"]`},
		{func() error { return c.RevokeToken(ctx, "", "t") }, `revoke token["" "t"]`},
	} {
		if err := tc.do(); err != nil || r.asked != tc.want {
			t.Errorf("got %s, %v; want %s", r.asked, err, tc.want)
		}
	}
}
